/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one command of a hook to its end, and ends its tree. Started by amikad, and ends with it.
 * amika-once DEADLINE_MS GRACE_MS FILES DIRECTORY PROGRAM ARGV0 [ARG...], descriptors as in run/once.h.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/once.h"

static bool is_number(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n > 0 && n < 16 && s[n] == '\0';
}

int main(int argc, char **argv)
{
	static const char usage[] = "usage: amika-once DEADLINE_MS GRACE_MS FILES DIRECTORY PROGRAM ARGV0 [ARG...]\n"
				    "It is started by amikad; see amikad(8).\n";
	struct amk_once_spec spec;

	if (argc < 7 || !is_number(argv[1]) || !is_number(argv[2]) || !is_number(argv[3])) {
		if (write(STDERR_FILENO, usage, sizeof usage - 1) < 0)
			return 1;
		return 2;
	}
	spec = (struct amk_once_spec){
		.deadline_ms = strtoll(argv[1], NULL, 10),
		.grace_ms = strtoll(argv[2], NULL, 10),
		.files = strtoull(argv[3], NULL, 10),
		.directory = argv[4],
		.program = argv[5],
		.argv = argv + 6,
		.env = environ,
	};
	return amk_once_run(&spec);
}
