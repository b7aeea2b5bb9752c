/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run-case AGENT CASE: feeds a codec the inputs of CASE ({"t","input"} lines) and prints the events it says,
 * {"write":LINE} for what it sends to its agent, {"native":ID} for a session id it learns. Numbers,
 * decision ids and times come from here.
 *
 * run-case --stops AGENT CASE: for every input k, with a checkpoint after every input and with none, what
 * a new process says after k must be what the uninterrupted run says. The new process is this program
 * with --resume, told on stdin what a daemon finds in its database: the checkpoint and the positions.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agent.h"
#include "core/cmd.h"
#include "core/jw.h"
#include "core/lines.h"

#define INPUTS_MAX 4096
#define OUT_MAX (256u << 20)
#define STATE_MAX (64u << 20)
#define ASKED_MAX 64

static bool resume, stops;

struct input {
	struct amk_json *json; /* owns the strings of in */
	struct amk_input in;
	int64_t t; /* ms */
};

struct runner {
	const struct amk_codec *codec;
	void *state;
	bool silent; /* replaying: what is said was said before */
	int64_t t;
	uint64_t sequence, decisions;
	char *native;
	struct {
		char *native;
		uint64_t number;
	} asked[ASKED_MAX];
	size_t nasked;
	struct amk_buf out;
};

/* ---- what a codec says ---- */

static void event_number(struct runner *r, const struct amk_said *said, char id[32])
{
	size_t i = 0;

	while (i < r->nasked && strcmp(r->asked[i].native, said->decision_native) != 0)
		i++;
	if (said->decision_state == AMK_DECISION_OPEN && i == r->nasked) {
		if (i == ASKED_MAX)
			AMK_BUG("too many decisions for a case");
		r->asked[i].native = amk_strdup(said->decision_native);
		r->asked[i].number = ++r->decisions;
		r->nasked++;
	} else if (i == r->nasked) {
		AMK_BUG("%s: decision %s is not open", said->type, said->decision_native);
	}
	snprintf(id, 32, "d_%llu", (unsigned long long)r->asked[i].number);
	if (said->decision_state != AMK_DECISION_OPEN) {
		free(r->asked[i].native);
		r->asked[i] = r->asked[--r->nasked];
	}
}

static void on_say(void *arg, const struct amk_said *said)
{
	struct runner *r = arg;
	char id[32];
	struct amk_event_place place = {
		.time = r->t * 1000000, .session_id = "case", .native_id = r->native, .decision_id = id,
	};

	if (r->silent)
		return;
	if (said->decision_state)
		event_number(r, said, id);
	place.sequence = ++r->sequence;
	amk_event_write(&r->out, said, &place, NULL);
	amk_buf_addc(&r->out, '\n');
}

static void on_write(void *arg, const char *s, size_t n)
{
	struct runner *r = arg;

	if (r->silent)
		return;
	amk_jw_open(&r->out, NULL, '{');
	amk_jw_str(&r->out, "write", s, n);
	amk_jw_close(&r->out, '}');
	amk_buf_addc(&r->out, '\n');
}

static void on_native(void *arg, const char *native_id)
{
	struct runner *r = arg;

	if (r->silent)
		return;
	free(r->native);
	r->native = amk_strdup(native_id);
	amk_jw_open(&r->out, NULL, '{');
	amk_jw_cstr(&r->out, "native", native_id);
	amk_jw_close(&r->out, '}');
	amk_buf_addc(&r->out, '\n');
}

static void on_setting(void *arg, const char *what, const char *value)
{
	struct runner *r = arg;

	if (r->silent)
		return;
	amk_jw_open(&r->out, NULL, '{');
	amk_jw_cstr(&r->out, "setting", what);
	amk_jw_cstr(&r->out, "value", value);
	amk_jw_close(&r->out, '}');
	amk_buf_addc(&r->out, '\n');
}

static void runner_init(struct runner *r, const struct amk_codec *codec)
{
	*r = (struct runner){ .codec = codec, .state = codec->new_state(), .out = AMK_BUF_INIT(OUT_MAX) };
	if (codec->native_id)
		r->native = codec->native_id("case");
}

static void runner_release(struct runner *r)
{
	r->codec->free_state(r->state);
	free(r->native);
	while (r->nasked)
		free(r->asked[--r->nasked].native);
	amk_buf_release(&r->out);
}

static void step(struct runner *r, const struct input *in)
{
	const struct amk_sink sink = { r, on_say, on_write, on_native, on_setting };

	r->t = in->t;
	if (in->in.kind == AMK_INPUT_START && in->in.native_id && !r->silent) {
		free(r->native);
		r->native = amk_strdup(in->in.native_id);
	}
	r->codec->step(r->state, &in->in, &sink);
}

/* ---- checkpoints ---- */

static void save(const struct runner *r, struct amk_buf *b)
{
	amk_buf_clear(b);
	r->codec->save(r->state, b);
	if (!amk_buf_ok(b))
		AMK_BUG("the state is too large");
}

static int load(struct runner *r, const char *s, size_t n, struct amk_err *e)
{
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(s, n, e);

	if (!j)
		return amk_err_wrap(e, "the saved state");
	r->codec->free_state(r->state);
	r->state = r->codec->new_state();
	return r->codec->load(r->state, j, e);
}

/* What a database holds after input k: {"k","sequence","decisions","native","asked","state"?}. */
static void carry_write(struct amk_buf *b, const struct runner *r, size_t k, const struct amk_buf *state)
{
	amk_jw_open(b, NULL, '{');
	amk_jw_int(b, "k", (int64_t)k);
	amk_jw_int(b, "sequence", (int64_t)r->sequence);
	amk_jw_int(b, "decisions", (int64_t)r->decisions);
	amk_jw_cstr(b, "native", r->native);
	amk_jw_open(b, "asked", '{');
	for (size_t i = 0; i < r->nasked; i++)
		amk_jw_int(b, r->asked[i].native, (int64_t)r->asked[i].number);
	amk_jw_close(b, '}');
	if (state)
		amk_jw_str(b, "state", state->s, state->n);
	amk_jw_close(b, '}');
	amk_buf_addc(b, '\n');
}

static void carry_take(struct runner *r, const struct amk_json *j)
{
	const char *native = amk_json_get_str(j, "native");

	r->sequence = (uint64_t)amk_json_get_int(j, "sequence", 0);
	r->decisions = (uint64_t)amk_json_get_int(j, "decisions", 0);
	free(r->native);
	r->native = native ? amk_strdup(native) : NULL;
	for (const struct amk_json *a = amk_json_first(amk_json_get(j, "asked")); a; a = amk_json_next(a)) {
		r->asked[r->nasked].native = amk_strdup(amk_json_key(a));
		r->asked[r->nasked++].number = (uint64_t)amk_json_get_int(amk_json_get(j, "asked"), amk_json_key(a), 0);
	}
}

/* The new process: from the checkpoint, else from the start with the output dropped. */
static int run_resumed(struct runner *r, const struct input *ins, size_t n, struct amk_err *e)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(2 * STATE_MAX);
	struct amk_json *j AMK_AUTO(json) = NULL;
	const char *state;
	size_t k;

	if (amk_lines_all(STDIN_FILENO, &text, e) < 0)
		return -1;
	j = amk_json_parse(text.s, text.n, e);
	if (!j)
		return -1;
	k = (size_t)amk_json_get_int(j, "k", 0);
	state = amk_json_get_str(j, "state");
	if (state && load(r, state, strlen(state), e) < 0)
		return -1;
	r->silent = true;
	for (size_t i = 0; !state && i < k; i++)
		step(r, &ins[i]);
	r->silent = false;
	carry_take(r, j);
	for (size_t i = k; i < n; i++)
		step(r, &ins[i]);
	return 0;
}

/* ---- a new process for each stop ---- */

static int read_output(int fd, const char *want, size_t n, struct amk_err *e)
{
	struct amk_buf got AMK_AUTO(buf) = AMK_BUF_INIT(OUT_MAX);

	if (amk_lines_all(fd, &got, e) < 0)
		return -1;
	if (got.n == n && memcmp(got.s, want, n) == 0)
		return 0;
	return amk_err_set(e, AMK_EFAILED, "says something else (%zu bytes instead of %zu)", got.n, n);
}

/* `want` is what it must print when told `carry`. */
static int stop_check(const char *file, const struct runner *r, const struct amk_buf *carry, const char *want,
		      struct amk_err *e)
{
	char *argv[] = { (char *)"run-case", (char *)"--resume", (char *)r->codec->name, (char *)file, NULL };
	posix_spawn_file_actions_t actions;
	int in AMK_AUTO(fd) = -1, out AMK_AUTO(fd) = -1, pipefd[2], status, result;
	pid_t pid;

	in = memfd_create("carry", MFD_CLOEXEC);
	if (in < 0 || amk_write_all(in, carry->s, carry->n) < 0 || lseek(in, 0, SEEK_SET) < 0 ||
	    pipe2(pipefd, O_CLOEXEC) < 0)
		return amk_err_sys(e, "what the new process is told");
	out = pipefd[0];
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, pipefd[1], STDOUT_FILENO);
	status = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipefd[1]);
	if (status != 0)
		return amk_err_set(e, AMK_EFAILED, "a new process: %s", strerror(status));
	result = read_output(out, want, strlen(want), e);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return amk_err_set(e, AMK_EFAILED, "the new process failed");
	return result;
}

/* Runs with the state saved and loaded after every input; stops after each, both ways. */
static int check_stops(const char *file, const struct runner *whole, const struct input *ins, size_t n,
		       struct amk_err *e)
{
	struct amk_buf state AMK_AUTO(buf) = AMK_BUF_INIT(STATE_MAX);
	struct amk_buf carry AMK_AUTO(buf) = AMK_BUF_INIT(2 * STATE_MAX);
	struct runner r;
	int result = 0;

	runner_init(&r, whole->codec);
	for (size_t k = 0; k <= n && result == 0; k++) {
		save(&r, &state);
		result = load(&r, state.s, state.n, e);
		for (int with = 0; with < 2 && result == 0; with++) {
			amk_buf_clear(&carry);
			carry_write(&carry, &r, k, with ? &state : NULL);
			result = stop_check(file, &r, &carry, whole->out.s + r.out.n, e);
			if (result < 0)
				amk_err_wrap(e, "stopped after %zu of %zu inputs %s checkpoint", k, n,
					     with ? "with a" : "without");
		}
		if (k < n && result == 0)
			step(&r, &ins[k]);
		if (r.out.n > whole->out.n || memcmp(r.out.s, whole->out.s, r.out.n) != 0)
			result = amk_err_set(e, AMK_EFAILED, "input %zu says something else with checkpoints", k);
	}
	runner_release(&r);
	return result;
}

/* ---- reading a case ---- */

static int case_read(const char *file, struct input *ins, size_t *n, struct amk_err *e)
{
	int fd AMK_AUTO(fd) = open(file, O_RDONLY | O_CLOEXEC);
	struct amk_lines lines;
	char *line;
	size_t len;
	int r;

	if (fd < 0)
		return amk_err_sys(e, "%s", file);
	amk_lines_init(&lines, fd);
	while ((r = amk_lines_next(&lines, &line, &len, e)) == 1) {
		struct input *in = &ins[*n];

		if (*n == INPUTS_MAX) {
			r = amk_err_set(e, AMK_EINVALID, "more than %d inputs", INPUTS_MAX);
			break;
		}
		in->json = amk_json_parse(line, len, e);
		if (!in->json || amk_input_read(&in->in, amk_json_get(in->json, "input"), e) < 0) {
			r = amk_err_wrap(e, "%s, line %zu", file, lines.number);
			break;
		}
		in->t = amk_json_get_int(in->json, "t", 0);
		*n += 1;
	}
	amk_lines_release(&lines);
	return r;
}

static int case_run(const struct amk_args *a, struct amk_err *e)
{
	static struct input ins[INPUTS_MAX];
	const struct amk_codec *codec = amk_agent_find(a->argv[0]);
	struct runner r;
	size_t n = 0;
	int result;

	if (!codec)
		return amk_err_set(e, AMK_EUNKNOWNAGENT, "no agent \"%s\"", a->argv[0]);
	result = case_read(a->argv[1], ins, &n, e);
	runner_init(&r, codec);
	if (result == 0 && resume)
		result = run_resumed(&r, ins, n, e);
	for (size_t i = 0; result == 0 && !resume && i < n; i++)
		step(&r, &ins[i]);
	if (result == 0 && stops)
		result = check_stops(a->argv[1], &r, ins, n, e);
	else if (result == 0 && amk_write_all(STDOUT_FILENO, r.out.s, r.out.n) < 0)
		result = amk_err_sys(e, "stdout");
	runner_release(&r);
	for (size_t i = 0; i < n; i++)
		amk_json_free(ins[i].json);
	return result;
}

static const struct amk_opt options[] = {
	{ 0, "stops", AMK_OPT_FLAG, &stops, NULL, "stop after every input and go on in a new process" },
	{ 0, "resume", AMK_OPT_FLAG, &resume, NULL, "be that process" },
	AMK_OPT_END,
};
static const struct amk_cmd cmd = {
	.name = "run-case",
	.summary = "Feed a codec recorded inputs",
	.operands = "AGENT CASE",
	.min = 2,
	.max = 2,
	.reads = "input",
	.writes = "event",
	.opts = options,
	.run = case_run,
};

int main(int argc, char **argv)
{
	return amk_cmd_main(&cmd, argc, argv);
}
