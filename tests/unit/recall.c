/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A track made from the log alone: of every recorded conversation, cut off after any event, it must close what is open so
 * that the whole is a stream by the rules, and number what comes next as nothing was numbered before.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>

#include "agent/track.h"
#include "core/lines.h"
#include "event/check.h"
#include "tap.h"

#define EVENTS_MAX 4096

static struct {
	char *line[EVENTS_MAX];
	size_t n;
} events;

/* The stream so far, and the decisions that are open in it. */
struct stream {
	struct amk_check *check;
	uint64_t sequence;
	struct amk_err e;
	bool bad;
	const struct amk_json *decision[256]; /* of the requests */
	size_t n;
};

static void read_events(const char *file)
{
	int fd AMK_AUTO(fd) = open(file, O_RDONLY | O_CLOEXEC);
	struct amk_lines lines;
	char *line;
	size_t n;

	while (events.n)
		free(events.line[--events.n]);
	amk_lines_init(&lines, fd);
	while (amk_lines_next(&lines, &line, &n, NULL) > 0 && events.n < EVENTS_MAX)
		if (strncmp(line, "{\"event_id\":", 12) == 0)
			events.line[events.n++] = amk_strdup(line);
	amk_lines_release(&lines);
}

static void take(struct stream *s, const char *line, size_t n)
{
	if (!s->bad && amk_check_line(s->check, line, n, &s->e) < 0)
		s->bad = true;
	s->sequence++;
}

static const char *id_of(const struct stream *s, const char *native)
{
	for (size_t i = s->n; native && i > 0; i--)
		if (amk_json_is(s->decision[i - 1], "native_id", native))
			return amk_json_get_str(s->decision[i - 1], "id");
	return NULL;
}

static void on_say(void *arg, const struct amk_said *said)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_LINE_MAX);
	struct stream *s = arg;
	const struct amk_event_place place = {
		.sequence = s->sequence + 1,
		.session_id = "case",
		.decision_id = said->decision_state ? id_of(s, said->decision_native) : NULL,
	};

	amk_event_write(&b, said, &place, NULL);
	take(s, b.s, b.n);
}

/* The first k events; then the program is lost, and another turn is begun. */
static bool goes_on(size_t k)
{
	const struct amk_input lost = { .kind = AMK_INPUT_EXIT, .exit_code = -1, .reason = "lost" };
	struct amk_json *json[EVENTS_MAX];
	struct stream s = { .check = amk_check_new(false) };
	const struct amk_sink sink = { &s, on_say, NULL, NULL, NULL };
	struct amk_track t;

	amk_track_init(&t);
	t.sink = &sink;
	for (size_t i = 0; i < k; i++) {
		const struct amk_json *decision;

		json[i] = amk_json_parse(events.line[i], strlen(events.line[i]), NULL);
		decision = amk_json_get(amk_json_get(json[i], "amika"), "decision");
		if (amk_json_is(decision, "state", "open") && s.n < AMK_COUNT(s.decision))
			s.decision[s.n++] = decision;
		take(&s, events.line[i], strlen(events.line[i]));
		amk_track_recall(&t, json[i]);
	}
	amk_turn_exit(&t, &lost);
	amk_turn_start(&t, "m_again");
	amk_track_user(&t, "again", "again", NULL, true);
	amk_turn_end(&t, "completed", NULL, NULL);
	if (!s.bad && amk_check_finish(s.check, false, &s.e) < 0)
		s.bad = true;
	if (s.bad)
		printf("# after %zu events: %s\n", k, s.e.msg);
	amk_check_free(s.check);
	amk_track_release(&t);
	while (k)
		amk_json_free(json[--k]);
	return !s.bad;
}

int main(void)
{
	const char *top = getenv("top_srcdir");
	char pattern[4096];
	glob_t found;

	snprintf(pattern, sizeof pattern, "%s/tests/agents/*/*.out.jsonl", top ? top : ".");
	if (glob(pattern, 0, NULL, &found) != 0)
		return 1;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		size_t bad = 0;

		read_events(found.gl_pathv[i]);
		for (size_t k = 0; k <= events.n; k++)
			bad += !goes_on(k);
		ok(bad == 0, "%s, cut off after each of %zu events", strstr(found.gl_pathv[i], "agents/") + 7, events.n);
	}
	globfree(&found);
	while (events.n)
		free(events.line[--events.n]);
	return tap_done();
}
