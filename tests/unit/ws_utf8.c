/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases 6.1 to 6.3 and 6.5 to 6.23 of the Autobahn test suite by their numbers: text that is UTF-8 comes
 * back, other text ends the connection with 1007. The sequences are those of Markus Kuhn's UTF-8 decoder
 * test, of which the suite made its cases.
 */
#include "ws_fixture.h"

#define KOSME "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
#define MIXED "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!"

struct text {
	const char *s;
	size_t n;
};
#define S(text) { text, sizeof(text) - 1 }
#define MAX 12

static const struct group {
	int number;
	bool good;
	struct text texts[MAX];
} groups[] = {
	{ 5, true, { S("hello\x24world"), S("hello\xC2\xA2world"), S("hello\xE2\x82\xACworld"),
		     S("hello\xF0\xA4\xAD\xA2world"), S(KOSME) } },
	{ 7, true, { S("\x00"), S("\xc2\x80"), S("\xe0\xa0\x80"), S("\xf0\x90\x80\x80") } },
	{ 8, false, { S("\xf8\x88\x80\x80\x80"), S("\xfc\x84\x80\x80\x80\x80") } },
	{ 9, true, { S("\x7f"), S("\xdf\xbf"), S("\xef\xbf\xbf"), S("\xf4\x8f\xbf\xbf") } },
	{ 10, false, { S("\xf7\xbf\xbf\xbf"), S("\xfb\xbf\xbf\xbf\xbf"), S("\xfd\xbf\xbf\xbf\xbf\xbf") } },
	{ 11, true, { S("\xed\x9f\xbf"), S("\xee\x80\x80"), S("\xef\xbf\xbd"), S("\xf4\x8f\xbf\xbf") } },
	{ 11, false, { S("\xf4\x90\x80\x80") } },
	{ 12, false, { S("\x80"), S("\xbf"), S("\x80\xbf"), S("\x80\xbf\x80"), S("\x80\xbf\x80\xbf"),
		       S("\x80\xbf\x80\xbf\x80"), S("\x80\xbf\x80\xbf\x80\xbf") } },
	{ 14, false, { S("\xc0"), S("\xe0\x80"), S("\xf0\x80\x80"), S("\xf8\x80\x80\x80"),
		       S("\xfc\x80\x80\x80\x80"), S("\xdf"), S("\xef\xbf"), S("\xf7\xbf\xbf"),
		       S("\xfb\xbf\xbf\xbf"), S("\xfd\xbf\xbf\xbf\xbf") } },
	{ 15, false, { S("\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf"
			 "\xfb\xbf\xbf\xbf\xfd\xbf\xbf\xbf\xbf") } },
	{ 16, false, { S("\xfe"), S("\xff"), S("\xfe\xfe\xff\xff") } },
	{ 17, false, { S("\xc0\xaf"), S("\xe0\x80\xaf"), S("\xf0\x80\x80\xaf"), S("\xf8\x80\x80\x80\xaf"),
		       S("\xfc\x80\x80\x80\x80\xaf") } },
	{ 18, false, { S("\xc1\xbf"), S("\xe0\x9f\xbf"), S("\xf0\x8f\xbf\xbf"), S("\xf8\x87\xbf\xbf\xbf"),
		       S("\xfc\x83\xbf\xbf\xbf\xbf") } },
	{ 19, false, { S("\xc0\x80"), S("\xe0\x80\x80"), S("\xf0\x80\x80\x80"), S("\xf8\x80\x80\x80\x80"),
		       S("\xfc\x80\x80\x80\x80\x80") } },
	{ 20, false, { S("\xed\xa0\x80"), S("\xed\xad\xbf"), S("\xed\xae\x80"), S("\xed\xaf\xbf"),
		       S("\xed\xb0\x80"), S("\xed\xbe\x80"), S("\xed\xbf\xbf") } },
	{ 21, false, { S("\xed\xa0\x80\xed\xb0\x80"), S("\xed\xa0\x80\xed\xbf\xbf"), S("\xed\xad\xbf\xed\xb0\x80"),
		       S("\xed\xad\xbf\xed\xbf\xbf"), S("\xed\xae\x80\xed\xb0\x80"), S("\xed\xae\x80\xed\xbf\xbf"),
		       S("\xed\xaf\xbf\xed\xb0\x80"), S("\xed\xaf\xbf\xed\xbf\xbf") } },
	{ 23, true, { S("\xef\xbf\xb9"), S("\xef\xbf\xba"), S("\xef\xbf\xbb"), S("\xef\xbf\xbc"),
		      S("\xef\xbf\xbd"), S("\xef\xbf\xbe"), S("\xef\xbf\xbf") } },
};

/* Sent in frames of `piece` bytes (0: in one); with `first` the first frame has so many instead. */
static void text_send(struct client *c, struct text t, size_t piece, size_t first)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(1u << 16);
	size_t at = 0;

	do {
		size_t n = at == 0 && first ? first : piece ? piece : t.n;
		bool begins = at == 0;

		if (n > t.n - at)
			n = t.n - at;
		ws_put(&b, (at + n == t.n ? FIN : 0) | (begins ? TEXT : CONT), t.s + at, n);
		at += n;
	} while (at < t.n);
	client_send(c, b.s, b.n);
}

static void text_run(const char *name, struct text t, size_t piece, size_t first, bool good)
{
	struct client c;
	bool right = ws_open(&c, "/echo");

	text_send(&c, t, piece, first);
	if (good)
		right = right && ws_hears(&c, FIN | TEXT, t.s, t.n) && ws_leaves(&c);
	else
		right = right && ws_closes(&c) == 1007;
	ok(right, "case %s", name);
	client_close(&c);
}

static void numbered_run(int group, const char *s, size_t n, bool good)
{
	static int last_group, last;
	char name[16];

	last = group == last_group ? last + 1 : 1;
	last_group = group;
	snprintf(name, sizeof name, "6.%d.%d", group, last);
	text_run(name, (struct text){ s, n }, 0, 0, good);
}

/* A message of empty frames, and one with empty frames around a full one. */
static void empty_frames_run(void)
{
	static const char *const bodies[][3] = { { "", "", "" }, { "", "middle", "" } };
	struct client c;

	text_run("6.1.1", (struct text)S(""), 0, 0, true);
	for (int i = 0; i < 2; i++) {
		bool good = ws_open(&c, "/echo");

		ws_say(&c, TEXT, bodies[i][0], 0);
		ws_say(&c, CONT, bodies[i][1], strlen(bodies[i][1]));
		ws_say(&c, FIN | CONT, bodies[i][2], 0);
		good = good && ws_hears(&c, FIN | TEXT, bodies[i][1], strlen(bodies[i][1])) && ws_leaves(&c);
		ok(good, "case 6.1.%d", i + 2);
		client_close(&c);
	}
}

/* Every beginning of a word whose letters are of two and three bytes. */
static void prefixes_run(void)
{
	for (size_t n = 1; n <= strlen(KOSME); n++)
		numbered_run(6, KOSME, n, n == 2 || n == 5 || n == 7 || n == 9 || n == 11);
}

/* All continuation bytes, and all bytes that begin a sequence, each followed by a space. */
static void lonely_run(void)
{
	static const unsigned char ranges[][2] = { { 0xc0, 0xdf }, { 0xe0, 0xef }, { 0xf0, 0xf7 }, { 0xf8, 0xfb },
						   { 0xfc, 0xfd } };
	char s[64];
	size_t n = 0;

	for (unsigned char ch = 0x80; ch < 0xbf; ch++)
		s[n++] = (char)ch;
	numbered_run(12, s, n, false);
	for (size_t i = 0; i < AMK_COUNT(ranges); i++) {
		n = 0;
		for (unsigned char ch = ranges[i][0]; ch < ranges[i][1]; ch++) {
			s[n++] = (char)ch;
			s[n++] = ' ';
		}
		numbered_run(13, s, n, false);
	}
}

/* Code points that are no characters, yet UTF-8: the last two of each plane. */
static void no_characters_run(void)
{
	numbered_run(22, "\xef\xbf\xbe", 3, true);
	numbered_run(22, "\xef\xbf\xbf", 3, true);
	for (unsigned plane = 1; plane <= 16; plane++)
		for (unsigned last = 0xbe; last <= 0xbf; last++) {
			char s[4] = { (char)(0xf0 | plane >> 2), (char)(0x8f | (plane & 3) << 4), (char)0xbf, (char)last };

			numbered_run(22, s, 4, true);
		}
}

int main(void)
{
	struct text bad = S(KOSME "\xed\xa0\x80"
				  "edited");

	server_start(&ws_usual);
	empty_frames_run();
	text_run("6.2.1", (struct text)S(MIXED), 0, 0, true);
	text_run("6.2.2", (struct text)S(MIXED), 0, 12, true);
	text_run("6.2.3", (struct text)S(MIXED), 1, 0, true);
	text_run("6.2.4", (struct text)S(KOSME), 1, 0, true);
	text_run("6.3.1", bad, 0, 0, false);
	text_run("6.3.2", bad, 1, 0, false);
	for (size_t i = 0; i < AMK_COUNT(groups); i++) {
		for (const struct text *t = groups[i].texts; t < groups[i].texts + MAX && t->n; t++)
			numbered_run(groups[i].number, t->s, t->n, groups[i].good);
		if (groups[i].number == 5)
			prefixes_run();
		if (groups[i].number == 12)
			lonely_run();
		if (groups[i].number == 21)
			no_characters_run();
	}
	server_stop();
	server_remove();
	return tap_done();
}
