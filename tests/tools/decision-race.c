/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decision-race ROUNDS SEED: two clients race for one answer, and at a moment the seed chose the daemon, the shim, the
 * agent or a client is killed. Each round has a session of its own, in $AMIKA_STATE_DIRECTORY, whose daemon is started by
 * this program. Judged: who was told that the answer counts, the record, what stands in the agent's input, what the
 * agent says it got, and the rules of the stream. Status 1 with a sentence for the first round that breaks them, and
 * when there was nobody to be killed in one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/path.h"
#include "core/time.h"
#include "event/check.h"

#define REPLY_MAX (16u << 20)
#define PATIENCE INT64_C(30000000000) /* ns for anything */
#define DELAY_US 2500		      /* the kill comes within so long after the clients began, mostly soon */
#define ASKS "List files in the current directory using available tools."

enum victim { DAEMON, SHIM, AGENT, FIRST, SECOND, VICTIMS };
static const char *const victim_names[] = { "daemon", "shim", "agent", "first client", "second client" };
static const char *const replies[] = { "once", "reject" };

/* What a client was told. */
struct heard {
	int status; /* 0: it was killed before */
	char by[40], reply[16], state[16];
};

struct client {
	pid_t pid;
	int from;
	char name[40];
	const char *reply;
	struct heard heard;
};

static char state[AMK_PATH_MAX];
static pid_t daemon_pid;
static unsigned round_no;
static uint64_t seed;
static unsigned told[2], delivered, voided, killed[VICTIMS];

static void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
static void fail(const char *fmt, ...)
{
	va_list ap;

	printf("round %u: ", round_no);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (daemon_pid > 0)
		kill(daemon_pid, SIGTERM);
	exit(1);
}

static uint64_t random_below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

/* ---- the daemon ---- */

static void daemon_start(void)
{
	char byte, number[16];
	int ready[2];

	if (pipe(ready) < 0)
		fail("pipe: %s", strerror(errno));
	daemon_pid = fork();
	if (daemon_pid == 0) {
		snprintf(number, sizeof number, "%d", ready[1]);
		close(ready[0]);
		execlp("amikad", "amikad", "serve", "--ready-fd", number, (char *)NULL);
		_exit(127);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		fail("no daemon");
	close(ready[0]);
}

static int dial(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof sa.sun_path, "%.90s/socket", state);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool ask(int fd, const char *method, const char *path, const char *body)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(65536);

	amk_buf_addf(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", method, path);
	if (body)
		amk_buf_addf(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
	amk_buf_addf(&b, "\r\n%s", body ? body : "");
	return send(fd, b.s, b.n, MSG_NOSIGNAL) == (ssize_t)b.n;
}

/* The status; -1 when the connection broke. The body, if wanted, in *to. */
static int call(const char *method, const char *path, const char *body, struct amk_buf *to)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(REPLY_MAX);
	int fd AMK_AUTO(fd) = dial(), status = -1;
	const char *head, *length;
	ssize_t n = 1;

	if (fd < 0 || !ask(fd, method, path, body))
		return -1;
	while (n > 0) {
		char *room = amk_buf_room(&b, 65536);

		n = read(fd, room, 65536);
		b.n += n > 0 ? (size_t)n : 0;
		b.s[b.n] = '\0';
	}
	head = strstr(b.s, "\r\n\r\n");
	if (!head || sscanf(b.s, "HTTP/1.1 %d", &status) != 1)
		return -1;
	length = strcasestr(b.s, "\r\nContent-Length: ");
	if (length && length < head && strtoul(length + 18, NULL, 10) != b.n - (size_t)(head + 4 - b.s))
		return -1; /* it died while it said so */
	if (to)
		amk_buf_adds(to, head + 4);
	return status;
}

static void must(int want, const char *method, const char *path, const char *body)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(REPLY_MAX);
	int status = call(method, path, body, &b);

	if (status != want)
		fail("%s %s: %d %s", method, path, status, b.n ? b.s : "");
}

static struct amk_json *get(const char *path)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(REPLY_MAX);
	struct amk_json *j;
	int status = call("GET", path, NULL, &b);

	j = status == 200 ? amk_json_parse(b.s, b.n, NULL) : NULL;
	if (!j)
		fail("GET %s: %d", path, status);
	return j;
}

/* Reads a session's stream until it has said the words. */
static bool stream_said(const char *session, const char *words)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(REPLY_MAX);
	int fd AMK_AUTO(fd) = dial();
	char path[96];

	snprintf(path, sizeof path, "/v1/sessions/%s/events/sse?profile=amika", session);
	if (fd < 0 || !ask(fd, "GET", path, NULL))
		return false;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char *room = amk_buf_room(&b, 65536);
		ssize_t n = poll(&p, 1, 2000) > 0 ? read(fd, room, 65536) : 0;

		if (n <= 0)
			return false;
		b.n += (size_t)n;
		b.s[b.n] = '\0';
		if (strstr(b.s, words))
			return true;
	}
}

static void wait_said(const char *session, const char *words)
{
	int64_t until = amk_time_monotonic() + PATIENCE;

	while (!stream_said(session, words))
		if (amk_time_monotonic() > until)
			fail("%s never said %s", session, words);
}

/* ---- the clients ---- */

static void copy_str(char *to, size_t max, const char *s)
{
	snprintf(to, max, "%s", s ? s : "");
}

/* Asks until there is an answer, as a client does whose connection breaks. */
static void client_run(const struct client *c, const char *decision, int to)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(REPLY_MAX);
	struct amk_json *j AMK_AUTO(json) = NULL;
	int64_t until = amk_time_monotonic() + PATIENCE;
	struct heard h = { 0 };
	char path[64], body[128];

	snprintf(path, sizeof path, "/v1/decisions/%s", decision);
	snprintf(body, sizeof body, "{\"reply\":\"%s\",\"by\":\"%s\"}", c->reply, c->name);
	while ((h.status = call("POST", path, body, &b)) == -1 || h.status == 503) {
		amk_buf_clear(&b);
		if (amk_time_monotonic() > until)
			break;
		poll(NULL, 0, 1);
	}
	j = amk_json_parse(b.s, b.n, NULL);
	copy_str(h.by, sizeof h.by, amk_json_get_str(j, "by"));
	copy_str(h.state, sizeof h.state, amk_json_get_str(j, "state"));
	copy_str(h.reply, sizeof h.reply, amk_json_get_str(amk_json_get(j, "answer"), "reply"));
	if (write(to, &h, sizeof h) != sizeof h)
		_exit(1);
	_exit(0);
}

/* Begins when the other end of `go` is closed. */
static void client_start(struct client *c, const char *which, const char *decision, const int go[2])
{
	char byte;
	int pipes[2];

	snprintf(c->name, sizeof c->name, "%s of %u", which, round_no);
	c->reply = replies[random_below(2)];
	if (pipe(pipes) < 0)
		fail("pipe: %s", strerror(errno));
	c->pid = fork();
	if (c->pid == 0) {
		close(go[1]);
		if (read(go[0], &byte, 1) == 0)
			client_run(c, decision, pipes[1]);
		_exit(1);
	}
	close(pipes[1]);
	c->from = pipes[0];
}

static void client_join(struct client *c)
{
	if (read(c->from, &c->heard, sizeof c->heard) != sizeof c->heard)
		c->heard = (struct heard){ 0 };
	close(c->from);
	waitpid(c->pid, NULL, 0);
}

/* ---- those to be killed ---- */

static long last_run(void)
{
	char path[AMK_PATH_MAX + 8];
	long last = 0;
	DIR *d;

	snprintf(path, sizeof path, "%s/run", state);
	d = opendir(path);
	for (struct dirent *p = d ? readdir(d) : NULL; p; p = readdir(d))
		if (strtol(p->d_name, NULL, 10) > last)
			last = strtol(p->d_name, NULL, 10);
	if (d)
		closedir(d);
	return last;
}

/* The shim holds the lock on its run's positions. */
static pid_t shim_of(long run)
{
	char path[AMK_PATH_MAX + 64], line[256];
	unsigned long inode;
	struct stat st;
	int pid;
	FILE *f;

	snprintf(path, sizeof path, "%s/run/%ld/pos", state, run);
	if (stat(path, &st) < 0)
		return 0;
	f = fopen("/proc/locks", "re");
	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%*d: FLOCK %*s %*s %d %*x:%*x:%lu", &pid, &inode) == 2 && inode == st.st_ino) {
			fclose(f);
			return pid;
		}
	}
	if (f)
		fclose(f);
	return 0;
}

static pid_t agent_of(pid_t shim)
{
	char path[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", shim, shim);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return pid;
}

static pid_t victim_of(enum victim v, long run, const struct client clients[2])
{
	pid_t pid = 0;

	if (v == DAEMON)
		return daemon_pid;
	if (v == FIRST || v == SECOND)
		return clients[v - FIRST].pid;
	for (int looks = 0; looks < 100 && !pid; looks++)
		pid = shim_of(run); /* where locks come and go, one reading may miss it */
	return v == AGENT && pid ? agent_of(pid) : pid;
}

static void kill_one(enum victim v, pid_t pid)
{
	if (pid > 0 && kill(pid, SIGKILL) == 0)
		killed[v]++;
	if (v != DAEMON)
		return;
	waitpid(daemon_pid, NULL, 0);
	daemon_start();
}

/* ---- the verdict ---- */

/* How many answers stand in what the program was given, and the last one's reply. */
static unsigned answers_in(long run, char reply[16])
{
	char path[AMK_PATH_MAX + 64], *line = NULL;
	unsigned n = 0;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/run/%ld/in", state, run);
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0) {
		struct amk_json *j AMK_AUTO(json) = amk_json_parse(line, strcspn(line, "\n"), NULL);

		if (!amk_json_is(j, "type", "answer"))
			continue;
		copy_str(reply, 16, amk_json_get_str(j, "reply"));
		n++;
	}
	if (f)
		fclose(f);
	free(line);
	return n;
}

struct outcome {
	bool completed;
	char got[64]; /* what the agent says it was answered */
};

static void take_event(struct outcome *o, const struct amk_json *event)
{
	const struct amk_json *item = amk_json_get(amk_json_get(event, "data"), "item");
	const char *text = amk_json_get_str(amk_json_first(amk_json_get(item, "content")), "text");

	if (amk_json_is(event, "type", "turn.ended"))
		o->completed = amk_json_is(amk_json_get(event, "amika"), "outcome", "completed");
	if (amk_json_is(event, "type", "item.completed") && text && strncmp(text, "mock_1_permission: ", 19) == 0)
		copy_str(o->got, sizeof o->got, text + 19);
}

/* The whole stream, which must obey the rules. */
static struct outcome outcome_of(const char *session)
{
	struct amk_check *check = amk_check_new(false);
	struct amk_json *page AMK_AUTO(json) = NULL;
	struct outcome o = { 0 };
	struct amk_err e = { 0 };
	char path[96];

	snprintf(path, sizeof path, "/v1/sessions/%s/events?profile=amika", session);
	page = get(path);
	for (const struct amk_json *ev = amk_json_first(amk_json_get(page, "events")); ev; ev = amk_json_next(ev)) {
		struct amk_buf line AMK_AUTO(buf) = AMK_BUF_INIT(REPLY_MAX);

		amk_json_print(&line, NULL, ev);
		if (amk_check_line(check, line.s, line.n, &e) < 0)
			fail("%s: %s", session, e.msg);
		take_event(&o, ev);
	}
	if (amk_check_finish(check, false, &e) < 0)
		fail("%s: %s", session, e.msg);
	amk_check_free(check);
	return o;
}

/* What a client was told is what the record says. */
static void judge_client(const struct client *c, const struct amk_json *record)
{
	const struct amk_json *answer = amk_json_get(record, "answer");
	const char *by = amk_json_get_str(record, "by");

	if (c->heard.status == 0)
		return;
	if (c->heard.status != 200 && c->heard.status != 409)
		fail("%s was told %d", c->name, c->heard.status);
	if (c->heard.status == 200 && (!by || strcmp(by, c->name) != 0 || !amk_json_is(answer, "reply", c->reply)))
		fail("%s has a receipt for %s, and the record says %s", c->name, c->reply, by ? by : "nobody");
	if (strcmp(c->heard.by, by ? by : "") != 0)
		fail("%s was told of \"%s\", and the record says %s", c->name, c->heard.by, by ? by : "nobody");
}

/* Whose program was left alone, that completes its turn. */
static void judge(const char *session, const char *decision, long run, bool alone, const struct client clients[2])
{
	struct amk_json *record AMK_AUTO(json) = NULL;
	struct outcome o = outcome_of(session);
	char path[64], given[16] = "";
	const char *reply, *way;
	unsigned n = answers_in(run, given);

	snprintf(path, sizeof path, "/v1/decisions/%s", decision);
	record = get(path);
	way = amk_json_get_str(record, "state");
	reply = amk_json_get_str(amk_json_get(record, "answer"), "reply");
	for (int i = 0; i < 2; i++)
		judge_client(&clients[i], record);
	if (clients[0].heard.status == 200 && clients[1].heard.status == 200)
		fail("both have a receipt");
	if (n > 1 || (n == 1 && (!reply || strcmp(given, reply) != 0)))
		fail("%u answers stand in the agent's input, the last is %s, and the record says %s", n, given,
		     reply ? reply : "none");
	if ((alone && !o.completed) || (o.completed && strcmp(way, "delivered") != 0))
		fail("the turn %s with a decision that is %s", o.completed ? "completed" : "did not complete", way);
	if ((o.completed || o.got[0]) && (!reply || n != 1 || strcmp(o.got, reply) != 0))
		fail("the agent got %s, and the record says %s", o.got, reply ? reply : "none");
	for (int i = 0; i < 2; i++)
		told[i] += clients[i].heard.status == 200;
	delivered += strcmp(way, "delivered") == 0;
	voided += strcmp(way, "void") == 0;
}

/* ---- a round ---- */

static void ask_for(const char *session, char decision[24])
{
	struct amk_json *list AMK_AUTO(json) = NULL;
	char path[96];

	snprintf(path, sizeof path, "/v1/sessions/%s", session);
	must(200, "POST", path, "{\"agent\":\"mock\",\"directory\":\"/\",\"arguments\":[\"--pace\",\"0\"]}");
	snprintf(path, sizeof path, "/v1/sessions/%s/messages", session);
	must(204, "POST", path, "{\"message\":\"" ASKS "\"}");
	wait_said(session, "\"type\":\"permission.requested\"");
	snprintf(path, sizeof path, "/v1/decisions?session=%s", session);
	list = get(path);
	copy_str(decision, 24, amk_json_get_str(amk_json_first(amk_json_get(list, "decisions")), "decisionId"));
}

static void race(void)
{
	const enum victim v = (enum victim)random_below(VICTIMS);
	struct timespec delay = { .tv_nsec = (long)(random_below(DELAY_US) * random_below(1000)) };
	struct client clients[2];
	char session[24], decision[24];
	int go[2];
	long run;
	pid_t pid;

	snprintf(session, sizeof session, "race-%u", round_no);
	ask_for(session, decision);
	run = last_run();
	if (pipe(go) < 0)
		fail("pipe: %s", strerror(errno));
	client_start(&clients[0], "first", decision, go);
	client_start(&clients[1], "second", decision, go);
	pid = victim_of(v, run, clients);
	close(go[0]);
	close(go[1]);
	nanosleep(&delay, NULL);
	kill_one(v, pid);
	client_join(&clients[0]);
	client_join(&clients[1]);
	wait_said(session, "\"type\":\"turn.ended\"");
	judge(session, decision, run, v != SHIM && v != AGENT, clients);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	const char *folder = getenv("AMIKA_STATE_DIRECTORY");
	unsigned sum = 0;

	if (!rounds || !folder) {
		fprintf(stderr, "usage: AMIKA_STATE_DIRECTORY=… decision-race ROUNDS SEED\n");
		return 2;
	}
	seed = strtoull(argv[2], NULL, 10) * 2654435761u + 88172645463325252u;
	snprintf(state, sizeof state, "%s", folder);
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	daemon_start();
	for (round_no = 1; round_no <= rounds; round_no++)
		race();
	kill(daemon_pid, SIGTERM);
	waitpid(daemon_pid, NULL, 0);
	for (int i = 0; i < VICTIMS; i++) {
		printf("%s%s %u", i ? ", " : "killed: ", victim_names[i], killed[i]);
		sum += killed[i];
	}
	printf("\nreceipts: first %u, second %u; delivered %u, void %u\n", told[0], told[1], delivered, voided);
	return sum != rounds;
}
