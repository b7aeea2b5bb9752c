/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what is counted, and its text. Names and units as Prometheus wants them. */
#include "core/metric.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define SECOND INT64_C(1000000000)

enum unit { COUNT, TIME };

int64_t amk_metrics[AMK_METRIC_COUNT] = { [AMK_METRIC_BUILD] = 1 };

static const struct row {
	const char *name, *labels, *type;
	enum unit unit;
	const char *help; /* of the first of a family */
} rows[AMK_METRIC_COUNT] = {
#define GAUGE(id, name, labels, help) [AMK_METRIC_##id] = { name, labels, "gauge", COUNT, help }
#define COUNTER(id, name, labels, help) [AMK_METRIC_##id] = { name, labels, "counter", COUNT, help }
	GAUGE(BUILD, "amika_build_info", "{version=\"" PACKAGE_VERSION "\"}", "What is running; always 1."),
	[AMK_METRIC_UPTIME] = { "amika_uptime_seconds", "", "gauge", TIME, "Since the daemon began to serve." },
	[AMK_METRIC_CPU] = { "amika_process_cpu_seconds_total", "", "counter", TIME, "User and system time." },
	GAUGE(RSS, "amika_process_resident_memory_bytes", "", "Memory of the daemon, without agents and shims."),
	GAUGE(FDS, "amika_process_open_fds", "", "Descriptors in use."),
	GAUGE(FDS_MAX, "amika_process_max_fds", "", "Descriptors there may be."),
	GAUGE(STARTING, "amika_sessions", "{state=\"starting\"}", "Sessions by state."),
	GAUGE(WORKING, "amika_sessions", "{state=\"working\"}", NULL),
	GAUGE(WAITING, "amika_sessions", "{state=\"waiting\"}", NULL),
	GAUGE(IDLE, "amika_sessions", "{state=\"idle\"}", NULL),
	GAUGE(ASLEEP, "amika_sessions", "{state=\"asleep\"}", NULL),
	GAUGE(ENDED, "amika_sessions", "{state=\"ended\"}", NULL),
	GAUGE(FAILED, "amika_sessions", "{state=\"failed\"}", NULL),
	GAUGE(BROKEN, "amika_sessions", "{state=\"broken\"}", NULL),
	GAUGE(FORGETTING, "amika_sessions_forgetting", "", "Sessions whose deletion is not finished."),
	COUNTER(SESSIONS_FORGOTTEN, "amika_sessions_forgotten_total", "", "Sessions of which nothing is left."),
	GAUGE(PROGRAMS, "amika_programs", "", "Agents' programs that live."),
	COUNTER(PROGRAMS_STARTED, "amika_programs_started_total", "", "Agents' programs started."),
	GAUGE(DECISIONS_OPEN, "amika_decisions_open", "", "Decisions that wait for an answer."),
	GAUGE(QUEUED, "amika_messages_queued", "", "Messages that wait for their turn."),
	COUNTER(EVENTS, "amika_events_total", "", "Events appended to the log."),
	COUNTER(EVENT_BYTES, "amika_event_bytes_total", "", "Bytes of events appended to the log."),
	COUNTER(EVENTS_FORGOTTEN, "amika_events_forgotten_total", "", "Events deleted from the log."),
	COUNTER(COMMITS, "amika_store_commits_total", "", "Transactions committed."),
	COUNTER(ROLLBACKS, "amika_store_rollbacks_total", "", "Transactions undone."),
	COUNTER(FLUSH_FAILURES, "amika_store_flush_failures_total", "", "Flushes that failed."),
	COUNTER(TROUBLES, "amika_store_troubles_total", "", "Times the state could not be written."),
	COUNTER(RECOVERIES, "amika_store_recoveries_total", "", "Times it could be written again."),
	GAUGE(DATABASE, "amika_database_bytes", "", "Size of amika.db."),
	GAUGE(WAL, "amika_wal_bytes", "", "Size of amika.db-wal."),
	GAUGE(CONNECTIONS, "amika_http_connections", "", "Connections that are open."),
	COUNTER(CONNECTIONS_MADE, "amika_http_connections_total", "", "Connections accepted."),
	GAUGE(STREAMS, "amika_streams", "", "Event streams and WebSockets that are open."),
	COUNTER(STREAMS_MADE, "amika_streams_total", "", "Event streams and WebSockets begun."),
	COUNTER(DELIVERIES, "amika_stream_deliveries_total", "", "Events given to readers."),
	COUNTER(STREAM_BYTES, "amika_stream_bytes_total", "", "Bytes given to readers."),
	COUNTER(REPLIES_1XX, "amika_http_replies_total", "{class=\"1xx\"}", "Replies by class of their status."),
	COUNTER(REPLIES_2XX, "amika_http_replies_total", "{class=\"2xx\"}", NULL),
	COUNTER(REPLIES_3XX, "amika_http_replies_total", "{class=\"3xx\"}", NULL),
	COUNTER(REPLIES_4XX, "amika_http_replies_total", "{class=\"4xx\"}", NULL),
	COUNTER(REPLIES_5XX, "amika_http_replies_total", "{class=\"5xx\"}", NULL),
	COUNTER(LIMIT_STREAMS, "amika_limited_total", "{limit=\"streams\"}", "Clients refused or cut for a limit."),
	COUNTER(LIMIT_PEER_STREAMS, "amika_limited_total", "{limit=\"streams_per_peer\"}", NULL),
	COUNTER(LIMIT_TIME, "amika_limited_total", "{limit=\"time\"}", NULL),
	COUNTER(LIMIT_DESCRIPTORS, "amika_limited_total", "{limit=\"descriptors\"}", NULL),
#undef GAUGE
#undef COUNTER
};

/* Upper bounds, and how they are written. */
static const struct {
	int64_t ns;
	const char *text;
} bounds[] = {
	{ 100000, "0.0001" },	 { 250000, "0.00025" },	  { 500000, "0.0005" },	 { 1000000, "0.001" },
	{ 2500000, "0.0025" },	 { 5000000, "0.005" },	  { 10000000, "0.01" },	 { 25000000, "0.025" },
	{ 50000000, "0.05" },	 { 100000000, "0.1" },	  { 250000000, "0.25" }, { 1000000000, "1" },
	{ 2500000000, "2.5" },
};

static struct {
	const char *name, *help;
	int64_t within[AMK_COUNT(bounds)]; /* each counted once, in the least that holds it */
	int64_t n, ns;
} times[AMK_METRIC_TIME_COUNT] = {
	[AMK_METRIC_FLUSH] = { "amika_store_flush_seconds", "How long it takes until commits are on the disk.",
			       { 0 }, 0, 0 },
	[AMK_METRIC_CHECKPOINT] = { "amika_store_checkpoint_seconds", "Moving the WAL into the database.",
				    { 0 }, 0, 0 },
};

void amk_metric_took(enum amk_metric_time m, int64_t ns)
{
	times[m].n++;
	times[m].ns += ns;
	for (size_t i = 0; i < AMK_COUNT(bounds); i++) {
		if (ns > bounds[i].ns)
			continue;
		times[m].within[i]++;
		return;
	}
}

static void write_head(struct amk_buf *b, const char *name, const char *type, const char *help)
{
	amk_buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_seconds(struct amk_buf *b, int64_t ns)
{
	amk_buf_addf(b, "%" PRId64 ".%09" PRId64 "\n", ns / SECOND, ns % SECOND);
}

static void write_row(struct amk_buf *b, enum amk_metric m)
{
	const struct row *r = &rows[m];

	if (m == 0 || strcmp(r->name, rows[m - 1].name) != 0)
		write_head(b, r->name, r->type, r->help);
	amk_buf_addf(b, "%s%s ", r->name, r->labels);
	if (r->unit == TIME)
		write_seconds(b, amk_metrics[m]);
	else
		amk_buf_addf(b, "%" PRId64 "\n", amk_metrics[m]);
}

static void write_times(struct amk_buf *b, enum amk_metric_time m)
{
	const char *name = times[m].name;
	int64_t n = 0;

	write_head(b, name, "histogram", times[m].help);
	for (size_t i = 0; i < AMK_COUNT(bounds); i++) {
		n += times[m].within[i];
		amk_buf_addf(b, "%s_bucket{le=\"%s\"} %" PRId64 "\n", name, bounds[i].text, n);
	}
	amk_buf_addf(b, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n%s_sum ", name, times[m].n, name);
	write_seconds(b, times[m].ns);
	amk_buf_addf(b, "%s_count %" PRId64 "\n", name, times[m].n);
}

void amk_metric_write(struct amk_buf *b)
{
	for (int m = 0; m < AMK_METRIC_COUNT; m++)
		write_row(b, (enum amk_metric)m);
	for (int m = 0; m < AMK_METRIC_TIME_COUNT; m++)
		write_times(b, (enum amk_metric_time)m);
}
