/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: which may be made, which answers, what "always" makes. */
#include "decision/ruling.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/time.h"
#include "decision/always.h"
#include "decision/content.h"
#include "scratch.h"
#include "tap.h"

static char *home; /* the session's directory */

#define RULE(...) (struct amk_state_rule){ __VA_ARGS__ }
#define ALLOW(...) RULE(.action = "allow", __VA_ARGS__)
#define DENY(...) RULE(.action = "deny", __VA_ARGS__)
#define ASK(...) RULE(.action = "ask", __VA_ARGS__)

/* Unless it says otherwise: of the daemon, about a permission. */
static struct amk_state_rule whole(struct amk_state_rule r)
{
	r.scope = r.scope ? r.scope : "daemon";
	r.kind = r.kind ? r.kind : "permission";
	return r;
}

static const char *refused(struct amk_state_rule r)
{
	static struct amk_err e;

	r = whole(r);
	e = (struct amk_err){ 0 };
	return amk_rule_check(&r, &e) == 0 ? "" : e.msg;
}

static void test_check(void)
{
	is_str(refused(ALLOW(.tool = "Bash")), "", "a tool");
	is_str(refused(DENY(.message = "no")), "", "a deny of all, with its message");
	ok(strstr(refused(ALLOW()), "names a tool"), "an allow of all");
	ok(strstr(refused(ASK(.message = "no")), "message"), "an ask with a message");
	ok(strstr(refused(RULE(.action = "maybe")), "maybe"), "another answer");
	ok(strstr(refused(ALLOW(.tool = "x", .scope = "world")), "world"), "another scope");
	ok(strstr(refused(ALLOW(.tool = "x", .kind = "query")), "query"), "another kind");
	ok(strstr(refused(ALLOW(.tool = "x", .scope = "agent")), "agent"), "an agent's without a name");
	ok(strstr(refused(ALLOW(.tool = "x", .scope = "session")), "session"), "a session's without a name");
	ok(strstr(refused(ALLOW(.tool = "x", .session = 1)), "session"), "a daemon's with a session");
	ok(strstr(refused(ALLOW(.tool = "x", .kind = "question")), "answer"), "an allow of questions");
	is_str(refused(DENY(.kind = "question")), "", "a deny of questions");
	ok(strstr(refused(ALLOW(.command = "a; b")), ";"), "a command that is not one");
	ok(strstr(refused(ALLOW(.path = "../x")), ".."), "a path with ..");
}

/* What the rules say about a request: "allow r_1", "ask mode default". */
static const char *outcome(const struct amk_state_rule *rules, size_t n, const char *mode, const char *request)
{
	static char shown[256];
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(request, strlen(request), NULL);
	const struct amk_subject_from from = { "claude", "permission", mode, home, j };
	struct amk_subject s;
	struct amk_ruling g;
	bool more = true;

	amk_subject_init(&s, &from);
	amk_ruling_begin(&g, &s);
	for (size_t i = 0; i < n && more; i++) {
		struct amk_state_rule r = whole(rules[i]);

		r.row = (int64_t)i + 1;
		more = amk_ruling_look(&g, &r);
	}
	amk_ruling_end(&g);
	snprintf(shown, sizeof shown, "%s %s", g.action, g.id);
	ok(amk_buf_ok(&g.trace) && g.trace.s[g.trace.n - 1] == ']', "what was looked at is kept");
	amk_ruling_release(&g);
	amk_subject_release(&s);
	return shown;
}

#define BASH(command) "{\"tool\":\"Bash\",\"command\":\"" command "\",\"input\":{\"command\":\"" command "\"}}"
#define IS(want, name, request, ...)                                                                           \
	do {                                                                                                   \
		const struct amk_state_rule rules_[] = { __VA_ARGS__ };                                        \
		is_str(outcome(rules_, AMK_COUNT(rules_), "default", request), want, name);                    \
	} while (0)

static void test_order(void)
{
	IS("allow r_1", "the first decides", BASH("git push"), ALLOW(.tool = "Bash"), DENY(.tool = "Bash"));
	IS("deny r_2", "what does not match does not", BASH("git push"), ALLOW(.tool = "Edit"), DENY(.tool = "Bash"));
	IS("ask r_1", "asking is an answer", BASH("git push"), ASK(.command = "git push **"), ALLOW(.tool = "Bash"));
	IS("ask mode default", "none matches", BASH("git push"), ALLOW(.tool = "Bash", .agent = "mock"));
	IS("ask mode default", "a question is not a permission", "{\"tool\":\"Bash\",\"personal\":true}",
	   ALLOW(.tool = "Bash"));
	IS("deny r_1", "but it can be denied", "{\"tool\":\"Bash\",\"personal\":true}", DENY(.kind = "question"));
}

static void test_unreadable(void)
{
	IS("ask r_1", "a deny is not slipped past", BASH("git push; true"), DENY(.command = "git push **"),
	   ALLOW(.tool = "Bash"));
	IS("ask r_1", "nor an allow's reading", BASH("npm test; rm x"), ALLOW(.command = "npm test"), ALLOW(.tool = "Bash"));
	IS("deny r_2", "a deny behind it stands", BASH("npm test; rm x"), ALLOW(.command = "npm test"),
	   DENY(.tool = "Bash"));
	IS("ask r_1", "alone it asks", BASH("npm test; rm x"), ALLOW(.command = "npm test"));
	IS("allow r_2", "the very same input needs no reading", BASH("a && b"), ALLOW(.command = "npm test"),
	   ALLOW(.tool = "Bash", .input = "{\"command\":\"a && b\"}"));
	IS("ask r_1", "a wildcard that could be meant asks where it denies", BASH("cat /etc/../x"),
	   DENY(.command = "cat /etc/*"), ALLOW(.tool = "Bash"));
	IS("allow r_2", "and is no match where it allows", BASH("cat -v"), ALLOW(.command = "cat *"),
	   ALLOW(.command = "cat -v"));
	IS("ask r_1", "a path that leads nowhere", "{\"tool\":\"Edit\",\"path\":\"new/../x\"}", ALLOW(.path = "**"),
	   ALLOW(.tool = "Edit"));
}

static void test_paths(void)
{
	char link[PATH_MAX];

	snprintf(link, sizeof link, "%s/out/**", home);
	IS("allow r_1", "below the directory", "{\"tool\":\"Edit\",\"path\":\"src/new.c\"}", ALLOW(.path = "src/**"));
	IS("ask mode default", "out of it by ..", "{\"tool\":\"Edit\",\"path\":\"src/../../x\"}", ALLOW(.path = "**"));
	IS("ask mode default", "out of it by a link", "{\"tool\":\"Edit\",\"path\":\"out/passwd\"}", ALLOW(.path = "**"));
	IS("deny r_1", "what the pattern's links lead to is denied", "{\"tool\":\"Edit\",\"path\":\"/etc/passwd\"}",
	   DENY(.path = link));
	IS("ask mode default", "and not allowed", "{\"tool\":\"Edit\",\"path\":\"/etc/passwd\"}",
	   ALLOW(.path = link));
	IS("ask mode default", "a command has more than its path",
	   "{\"tool\":\"Bash\",\"command\":\"rm x\",\"path\":\"src/x\"}", ALLOW(.path = "src/**"));
	IS("deny r_1", "which denies it all the same", "{\"tool\":\"Bash\",\"command\":\"rm x\",\"path\":\"src/x\"}",
	   DENY(.path = "src/**"));
	IS("allow r_1", "unless both are allowed", "{\"tool\":\"Bash\",\"command\":\"rm x\",\"path\":\"src/x\"}",
	   ALLOW(.path = "src/**", .command = "rm x"));
}

static void test_modes(void)
{
	const struct amk_state_rule deny = DENY(.tool = "Bash"), read = ALLOW(.command = "npm test");

	is_str(outcome(NULL, 0, "plan", BASH("ls")), "ask mode plan", "plan");
	is_str(outcome(NULL, 0, "bypass", BASH("a; b")), "allow mode bypass", "bypass");
	is_str(outcome(&deny, 1, "bypass", BASH("ls")), "deny r_1", "a rule comes before it");
	is_str(outcome(&read, 1, "bypass", BASH("a; b")), "ask r_1", "one that cannot read, too");
	is_str(outcome(NULL, 0, "bypass", "{\"tool\":\"AskUserQuestion\",\"personal\":true}"), "ask mode bypass",
	       "no question");
	is_str(outcome(NULL, 0, "acceptEdits", "{\"tool\":\"Edit\",\"path\":\"src/a\"}"), "allow mode acceptEdits",
	       "an edit inside");
	is_str(outcome(NULL, 0, "acceptEdits", "{\"tool\":\"Read\",\"path\":\"src/a\"}"), "ask mode acceptEdits",
	       "no edit");
	is_str(outcome(NULL, 0, "acceptEdits", "{\"tool\":\"Edit\",\"path\":\"out/a\"}"), "ask mode acceptEdits",
	       "an edit behind a link");
	is_str(outcome(NULL, 0, "acceptEdits", "{\"tool\":\"Write\",\"path\":\"../a\"}"), "ask mode acceptEdits",
	       "an edit outside");
	is_str(outcome(NULL, 0, "acceptEdits", BASH("touch a")), "ask mode acceptEdits", "a command");
}

/* The rule "always" makes: "command npm test", "none", or the error. */
static const char *always(const char *request, const char *wanted)
{
	static char shown[AMK_ERR_MSG + 32];
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(request, strlen(request), NULL);
	struct amk_json *w AMK_AUTO(json) = wanted ? amk_json_parse(wanted, strlen(wanted), NULL) : NULL;
	const struct amk_subject_from from = { "claude", "permission", "default", home, j };
	struct amk_subject s;
	struct amk_always a;
	struct amk_err e = { 0 };
	int r;

	amk_subject_init(&s, &from);
	r = amk_always_make(&a, &s, w, &e);
	if (r < 0)
		snprintf(shown, sizeof shown, "%s", e.msg);
	else
		snprintf(shown, sizeof shown, "%s %s", r == 0 ? "none" : a.rule.scope,
			 r == 0		? "" :
			 a.rule.command ? a.rule.command :
			 a.rule.input	? a.rule.input :
			 a.rule.path	? a.rule.path + strlen(home) :
					  a.rule.tool);
	amk_always_release(&a);
	amk_subject_release(&s);
	return shown;
}

#define SUGGEST(content)                                                                                           \
	"{\"tool\":\"Bash\",\"command\":\"npm  test\",\"input\":{},\"suggestions\":[{\"type\":\"addRules\","         \
	"\"behavior\":\"allow\",\"rules\":[{\"toolName\":\"Bash\",\"ruleContent\":\"" content "\"}]}]}"

static void test_always(void)
{
	is_str(always(BASH("npm  test"), NULL), "session npm test", "the command");
	is_str(always(SUGGEST("npm 'test'"), NULL), "session npm 'test'", "as the agent suggests it");
	is_str(always(SUGGEST("npm *"), NULL), "session npm test", "but nothing wider");
	is_str(always(SUGGEST("npm run"), NULL), "session npm test", "and nothing else");
	is_str(always(BASH("a && b"), NULL), "session {\"command\":\"a && b\"}", "the input of what is no simple command");
	is_str(always(BASH("ls *.c"), NULL), "session {\"command\":\"ls *.c\"}", "or has a wildcard");
	is_str(always("{\"tool\":\"Edit\",\"path\":\"src/../src/a\",\"input\":{}}", NULL), "session /src/a",
	       "the file it leads to");
	is_str(always("{\"tool\":\"WebFetch\",\"input\":{\"url\":\"x\",\"a\":[{\"d\":1,\"c\":2}]}}", NULL),
	       "session {\"a\":[{\"c\":2,\"d\":1}],\"url\":\"x\"}", "the input, in order");
	is_str(always("{\"tool\":\"Other\"}", NULL), "none ", "nothing to go by");
	is_str(always("{\"tool\":\"Ask\",\"personal\":true,\"input\":{}}", NULL), "none ", "what is asked each time");
	is_str(always(BASH("npm test"), "{\"command\":\"npm **\",\"scope\":\"daemon\"}"), "daemon npm **", "wider as said");
	is_str(always(BASH("npm test"), "{\"toolWide\":true}"), "session Bash", "the whole tool");
	ok(strstr(always(BASH("npm test"), "{\"command\":\"git **\"}"), "would not"), "not about this");
	ok(strstr(always(BASH("npm test"), "{\"command\":\"npm **\",\"toolWide\":true}"), "not both"), "both");
	ok(strstr(always("{\"tool\":\"Ask\",\"personal\":true}", "{\"toolWide\":true}"), "each time"), "a question");
}

static void test_input(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(AMK_SUBJECT_INPUT_MAX);
	static const char text[] = "{\"description\":\"d\",\"command\":\"x\"}", other[] = "{\"description\":\"d\"}";
	struct amk_json *j AMK_AUTO(json) = amk_json_parse(text, strlen(text), NULL);
	struct amk_json *k AMK_AUTO(json) = amk_json_parse(other, strlen(other), NULL);

	amk_subject_write_input(&b, j);
	is_str(b.s, "{\"command\":\"x\"}", "the comment on a command does not count");
	amk_buf_clear(&b);
	amk_subject_write_input(&b, k);
	is_str(b.s, other, "other descriptions do");
}

/* An agent may say so many: whoever sorts them must not take their square. */
static void test_members(void)
{
	struct amk_buf text AMK_AUTO(buf) = AMK_BUF_INIT(8u << 20), b AMK_AUTO(buf) = AMK_BUF_INIT(8u << 20);
	struct amk_json *j AMK_AUTO(json) = NULL;
	int64_t began;

	for (int i = 300000; i; i--)
		amk_buf_addf(&text, "%c\"%06d\":0", i == 300000 ? '{' : ',', i);
	amk_buf_addc(&text, '}');
	j = amk_json_parse(text.s, text.n, NULL);
	began = amk_time_monotonic();
	amk_content_write(&b, NULL, j, NULL);
	ok(amk_buf_ok(&b) && b.n == text.n && strncmp(b.s, "{\"000001\":0,\"000002\":0", 22) == 0, "300,000 members, sorted");
	ok(amk_time_monotonic() - began < 10 * INT64_C(1000000000), "in far less than their square");
}

int main(void)
{
	char path[PATH_MAX], real[PATH_MAX];
	int fd AMK_AUTO(fd) = scratch_make();

	ok(realpath(scratch, real) && mkdirat(fd, "home", 0700) == 0 && mkdirat(fd, "home/src", 0700) == 0 &&
	   symlinkat("/etc", fd, "home/out") == 0, "a folder");
	snprintf(path, sizeof path, "%.200s/home", real);
	home = path;
	test_members();
	test_check();
	test_order();
	test_unreadable();
	test_paths();
	test_modes();
	test_always();
	test_input();
	return tap_done();
}
