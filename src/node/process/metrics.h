/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Counters, gauges and histograms of metrics.tbl, and the text that
 * Prometheus reads.  Labels come from tables and closed sets, never from a
 * request: no name, no id, no address ends up here, and their number is
 * bounded (METRICS_SERIES; what comes beyond is not counted).
 */
#ifndef FW_NODE_METRICS_H
#define FW_NODE_METRICS_H

#include <stddef.h>

#include "tbl/rows.h"

struct buf;
struct metrics;

enum { METRICS_SERIES = 2048, METRICS_LABELS = 3 };

/* ${rows}: metric_rows, static. 0 or -ENOMEM. */
int metrics_new(const struct metric_row *rows, size_t n, struct metrics **ret);
void metrics_free(struct metrics *m);
/* ${metric}: index of the row. ${a}, ${b}: its label values in order, NULL where it has fewer. */
void metrics_add(struct metrics *m, int metric, const char *a, const char *b, double by);
void metrics_set(struct metrics *m, int metric, const char *a, const char *b, double value);
/* One observation of a histogram. */
void metrics_observe(struct metrics *m, int metric, const char *a, const char *b, double value);
/* All series that were ever touched, in the order of the rows. */
void metrics_text(const struct metrics *m, struct buf *out);

#endif
