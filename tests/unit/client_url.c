/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses of a daemon are taken, and as what. */
#include "client/url.h"

#include "tap.h"

/* "BASE HOST PORT [tls] [loopback]", or the sentence of the refusal. */
static const char *read_as(const char *s)
{
	static char seen[1024];
	struct amk_err e = { 0 };
	struct amk_url u;

	if (amk_url_parse(&u, s, &e) < 0)
		snprintf(seen, sizeof seen, "%s%s", e.code == AMK_EUSAGE && e.hint[0] ? "" : "(no usage) ", e.msg);
	else
		snprintf(seen, sizeof seen, "%s %s %u%s%s", u.base, u.host, u.port, u.tls ? " tls" : "",
			 u.loopback ? " loopback" : "");
	return seen;
}

static void test_taken(void)
{
	is_str(read_as("http://127.0.0.1:60999"), "http://127.0.0.1:60999 127.0.0.1 60999 loopback", "loopback");
	is_str(read_as("http://127.9.8.7:1"), "http://127.9.8.7:1 127.9.8.7 1 loopback", "all of 127");
	is_str(read_as("http://[::1]:2468"), "http://[::1]:2468 ::1 2468 loopback", "IPv6 loopback");
	is_str(read_as("http://[0:0:0:0:0:0:0:1]:2468/"), "http://[0:0:0:0:0:0:0:1]:2468 0:0:0:0:0:0:0:1 2468 loopback",
	       "written out, with a slash behind it");
	is_str(read_as("http://[2001:DB8::7]:65535"), "http://[2001:db8::7]:65535 2001:db8::7 65535", "IPv6");
	is_str(read_as("HTTP://LocalHost:80"), "http://localhost:80 localhost 80 loopback", "letters large and small");
	is_str(read_as("https://box.example.com"), "https://box.example.com:443 box.example.com 443 tls",
	       "the port of https");
	is_str(read_as("http://box_1/"), "http://box_1:80 box_1 80", "the port of http");
	is_str(read_as("https://127.0.0.1:8443"), "https://127.0.0.1:8443 127.0.0.1 8443 tls loopback", "tls on loopback");
}

static void test_not_loopback(void)
{
	is_str(read_as("http://localhost.example.com:1"), "http://localhost.example.com:1 localhost.example.com 1",
	       "a name that begins like it");
	is_str(read_as("http://127.0.0.1.example.com:1"), "http://127.0.0.1.example.com:1 127.0.0.1.example.com 1",
	       "a name that begins like an address");
	is_str(read_as("http://128.0.0.1:1"), "http://128.0.0.1:1 128.0.0.1 1", "128.0.0.1");
	is_str(read_as("http://[::ffff:127.0.0.1]:1"), "http://[::ffff:127.0.0.1]:1 ::ffff:127.0.0.1 1", "a mapped one");
	is_str(read_as("http://0.0.0.0:1"), "http://0.0.0.0:1 0.0.0.0 1", "any");
}

static void test_refused(void)
{
	static const char scheme[] = "the daemon's URL begins with neither http:// nor https://";
	static const char port[] = "the daemon's URL has a port that is not one of 1 to 65535";
	static const char behind[] = "the daemon's URL has something behind host and port";

	is_str(read_as(""), scheme, "nothing");
	is_str(read_as("127.0.0.1:60999"), scheme, "no scheme");
	is_str(read_as("unix:///run/socket"), scheme, "another scheme");
	is_str(read_as("file:///etc/passwd"), scheme, "a file");
	is_str(read_as(" http://a:1"), scheme, "a space before it");
	is_str(read_as("http:/a:1"), scheme, "one slash");
	is_str(read_as("http://"), "the daemon's URL names no host", "no host");
	is_str(read_as("http://:60999"), "the daemon's URL names no host", "only a port");
	is_str(read_as("http://[]:1"), "the daemon's URL names no host", "empty brackets");
	is_str(read_as("http://[::1:1"), "the daemon's URL has a [ without its ]", "an open bracket");
	is_str(read_as("http://[::g]:1"), "the daemon's URL has no IPv6 address between [ and ]", "no address");
	is_str(read_as("http://[127.0.0.1]:1"), "the daemon's URL has no IPv6 address between [ and ]", "IPv4 in brackets");
	is_str(read_as("http://a:"), port, "an empty port");
	is_str(read_as("http://a:0"), port, "port 0");
	is_str(read_as("http://a:65536"), port, "port 65536");
	is_str(read_as("http://a:000080"), port, "a port of six digits");
	is_str(read_as("http://a:4294967376"), port, "a port that would wrap");
	is_str(read_as("http://a:+1"), port, "a sign");
	is_str(read_as("http://a:1x"), behind, "letters behind the port");
	is_str(read_as("http://a:1/v1"), behind, "a path");
	is_str(read_as("http://a:1//"), behind, "two slashes");
	is_str(read_as("http://a:1?x"), behind, "a query");
	is_str(read_as("http://a:1#x"), behind, "a fragment");
	is_str(read_as("http://a b:1"), behind, "a space in it");
	is_str(read_as("http://a\r\nX: y"), behind, "a line break");
	is_str(read_as("http://b\303\274cher:1"), behind, "a name that is not ASCII");
	is_str(read_as("http://me:secret@a:1"), "the daemon's URL holds an @; a token goes into AMIKA_TOKEN or a file",
	       "a password, which is not shown");
}

static void test_long(void)
{
	char s[600] = "http://", want[900];

	memset(s + 7, 'a', 253);
	memcpy(s + 260, ":65535", 7);
	snprintf(want, sizeof want, "%s %.253s 65535", s, s + 7);
	is_str(read_as(s), want, "a host of 253 characters");
	memset(s + 7, 'a', 254);
	s[261] = '\0';
	is_str(read_as(s), "the daemon's URL has a host of more than 253 characters", "one of 254");
}

int main(void)
{
	test_taken();
	test_not_loopback();
	test_refused();
	test_long();
	return tap_done();
}
