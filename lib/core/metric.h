/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is counted, for GET /v1/metrics. A counter is a row of the table in metric.c and an addition where the
 * thing happens: one integer, on the loop's thread, and nobody reads it but who asks. Nothing is sent anywhere.
 */
#ifndef AMK_CORE_METRIC_H
#define AMK_CORE_METRIC_H

#include <stdint.h>

#include "core/buf.h"

/* In the order of the rows; the members of a family stand together. */
enum amk_metric {
	AMK_METRIC_BUILD,
	AMK_METRIC_UPTIME,
	AMK_METRIC_CPU,
	AMK_METRIC_RSS,
	AMK_METRIC_FDS,
	AMK_METRIC_FDS_MAX,
	AMK_METRIC_STARTING, /* sessions by state */
	AMK_METRIC_WORKING,
	AMK_METRIC_WAITING,
	AMK_METRIC_IDLE,
	AMK_METRIC_ASLEEP,
	AMK_METRIC_ENDED,
	AMK_METRIC_FAILED,
	AMK_METRIC_BROKEN,
	AMK_METRIC_FORGETTING,
	AMK_METRIC_SESSIONS_FORGOTTEN,
	AMK_METRIC_PROGRAMS,
	AMK_METRIC_PROGRAMS_STARTED,
	AMK_METRIC_DECISIONS_OPEN,
	AMK_METRIC_QUEUED,
	AMK_METRIC_EVENTS,
	AMK_METRIC_EVENT_BYTES,
	AMK_METRIC_EVENTS_FORGOTTEN,
	AMK_METRIC_COMMITS,
	AMK_METRIC_ROLLBACKS,
	AMK_METRIC_FLUSH_FAILURES,
	AMK_METRIC_TROUBLES,
	AMK_METRIC_RECOVERIES,
	AMK_METRIC_DATABASE,
	AMK_METRIC_WAL,
	AMK_METRIC_CONNECTIONS,
	AMK_METRIC_CONNECTIONS_MADE,
	AMK_METRIC_STREAMS,
	AMK_METRIC_STREAMS_MADE,
	AMK_METRIC_DELIVERIES,
	AMK_METRIC_STREAM_BYTES,
	AMK_METRIC_REPLIES_1XX,
	AMK_METRIC_REPLIES_2XX,
	AMK_METRIC_REPLIES_3XX,
	AMK_METRIC_REPLIES_4XX,
	AMK_METRIC_REPLIES_5XX,
	AMK_METRIC_LIMIT_STREAMS, /* refused for a limit */
	AMK_METRIC_LIMIT_PEER_STREAMS,
	AMK_METRIC_LIMIT_TIME,
	AMK_METRIC_LIMIT_DESCRIPTORS,
	AMK_METRIC_COUNT
};
extern int64_t amk_metrics[AMK_METRIC_COUNT];

static inline void amk_metric_add(enum amk_metric m, int64_t n)
{
	amk_metrics[m] += n;
}

/* For what is looked up when someone asks. Times are in ns. */
static inline void amk_metric_set(enum amk_metric m, int64_t n)
{
	amk_metrics[m] = n;
}

/* Durations: how many took how long. */
enum amk_metric_time { AMK_METRIC_FLUSH, AMK_METRIC_CHECKPOINT, AMK_METRIC_TIME_COUNT };
void amk_metric_took(enum amk_metric_time m, int64_t ns);

/* All of it, in Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
#define AMK_METRIC_TYPE "text/plain; version=0.0.4; charset=utf-8"
void amk_metric_write(struct amk_buf *b);

#endif
