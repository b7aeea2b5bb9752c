/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measures the promises of SPECIFICATION.md: bench BINDIR SCRATCH CAPTURE PEER [PART…]. PEER is the program
 * of the peer, or "". By the name of an agent this program plays it.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"

struct bench_conf bench_conf;

static const struct part {
	const char *name;
	void (*measure)(void);
} parts[] = {
	{ "start", bench_start },     { "idle", bench_idle },	    { "health", bench_health },
	{ "burst", bench_burst },     { "deliver", bench_deliver }, { "replay", bench_replay },
	{ "latency", bench_latency }, { "growth", bench_growth },
};

void bench_give_up(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "bench: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	if (bench_ours_pid)
		kill(bench_ours_pid, SIGTERM);
	if (bench_peer_pid)
		kill(bench_peer_pid, SIGTERM);
	exit(1);
}

/* A connection for each reader, here and in the daemons. */
static void raise_files(void)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < BENCH_CONNECTIONS * 2)
		bench_give_up("%llu open files are too few", (unsigned long long)files.rlim_max);
	files.rlim_cur = BENCH_CONNECTIONS * 2;
	setrlimit(RLIMIT_NOFILE, &files);
}

static bool is_wanted(const char *part, int n, char **wanted)
{
	for (int i = 0; i < n; i++)
		if (strcmp(wanted[i], part) == 0)
			return true;
	return n == 0;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	name = name ? name + 1 : argv[0];
	if (strcmp(name, "mock-acp") == 0)
		return bench_acp_main();
	if (strcmp(name, "claude") == 0)
		return bench_claude_main();
	if (argc < 5) {
		fprintf(stderr, "usage: bench BINDIR SCRATCH CAPTURE PEER [PART...]\n");
		return 2;
	}
	bench_conf = (struct bench_conf){ argv[1], argv[2], argv[4][0] ? argv[4] : NULL, argv[3] };
	signal(SIGPIPE, SIG_IGN);
	raise_files();
	bench_table_open();
	for (size_t i = 0; i < AMK_COUNT(parts); i++)
		if (is_wanted(parts[i].name, argc - 5, argv + 5))
			parts[i].measure();
	if (!bench_conf.peer)
		bench_note("beside the peer, sandbox-agent 0.4.2", "", "it was not to be had");
	return bench_table_broken() > 0;
}
