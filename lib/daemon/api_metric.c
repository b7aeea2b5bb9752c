/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/metrics: what was counted, and what is looked up now that someone asks. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/lines.h"
#include "core/metric.h"
#include "core/time.h"
#include "daemon/api.h"

#define TEXT_MAX 65536

static int64_t ns_of(struct timeval t)
{
	return t.tv_sec * INT64_C(1000000000) + t.tv_usec * 1000;
}

/* The second number of statm (proc(5)), in pages. */
static int64_t resident_bytes(void)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(4096);
	int fd AMK_AUTO(fd) = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	long long pages;

	if (fd < 0 || amk_lines_all(fd, &b, NULL) < 0 || sscanf(b.s, "%*d %lld", &pages) != 1)
		return 0;
	return pages * sysconf(_SC_PAGESIZE);
}

static int64_t open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int64_t n = -3; /* ".", "..", the folder itself */

	if (!d)
		return 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void look_at_process(const struct amk_daemon *d)
{
	struct rlimit files = { 0 };
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	getrlimit(RLIMIT_NOFILE, &files);
	amk_metric_set(AMK_METRIC_UPTIME, amk_time_monotonic() - d->began);
	amk_metric_set(AMK_METRIC_CPU, ns_of(used.ru_utime) + ns_of(used.ru_stime));
	amk_metric_set(AMK_METRIC_RSS, resident_bytes());
	amk_metric_set(AMK_METRIC_FDS, open_files());
	amk_metric_set(AMK_METRIC_FDS_MAX, (int64_t)files.rlim_cur);
}

static void look_at_store(const struct amk_daemon *d)
{
	struct amk_store_size size;

	amk_store_measure(d->store, &size);
	amk_metric_set(AMK_METRIC_DATABASE, size.database);
	amk_metric_set(AMK_METRIC_WAL, size.wal);
}

/* While the store is in trouble the sessions are as they were. */
static void look_at_sessions(const struct amk_daemon *d)
{
	struct amk_session_numbers n;

	if (!d->sessions)
		return;
	amk_session_count(d->sessions, &n);
	amk_metric_set(AMK_METRIC_STARTING, n.starting);
	amk_metric_set(AMK_METRIC_WORKING, n.working);
	amk_metric_set(AMK_METRIC_WAITING, n.waiting);
	amk_metric_set(AMK_METRIC_IDLE, n.idle);
	amk_metric_set(AMK_METRIC_ASLEEP, n.asleep);
	amk_metric_set(AMK_METRIC_ENDED, n.ended);
	amk_metric_set(AMK_METRIC_FAILED, n.failed);
	amk_metric_set(AMK_METRIC_BROKEN, n.broken);
	amk_metric_set(AMK_METRIC_FORGETTING, n.forgetting);
	amk_metric_set(AMK_METRIC_PROGRAMS, n.programs);
	amk_metric_set(AMK_METRIC_DECISIONS_OPEN, n.open_decisions);
	amk_metric_set(AMK_METRIC_QUEUED, n.queued);
}

void amk_api_metric_list(struct amk_request *rq, void *arg)
{
	struct amk_buf b AMK_AUTO(buf) = AMK_BUF_INIT(TEXT_MAX);

	look_at_process(arg);
	look_at_store(arg);
	look_at_sessions(arg);
	amk_metric_write(&b);
	amk_request_reply(rq, 200, AMK_METRIC_TYPE, b.s, b.n);
}
