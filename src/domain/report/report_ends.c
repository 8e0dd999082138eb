/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The reading of reports in a reader process: its two ends go to the worker. */
#include "domain/report/report.h"
#include "domain/report/report_reader.h"

struct ends {
	struct reader_in *in;
	struct reader_out *out;
};

static int ends_next(void *arg, const uint8_t **ret_p, size_t *ret_n)
{
	return reader_next(((struct ends *)arg)->in, ret_p, ret_n);
}

static struct buf *ends_batch(void *arg)
{
	return reader_batch(((struct ends *)arg)->out);
}

static int ends_send(void *arg)
{
	return reader_send(((struct ends *)arg)->out);
}

static int read_reports(struct reader_in *in, struct reader_out *out, const char *layout, struct arena *mem,
			struct diag *reterr)
{
	struct ends ends = { in, out };
	const struct reading_io io = { ends_next, ends_batch, ends_send, &ends };
	return report_read(&io, layout, mem, reterr);
}

const struct reader_row report_readers[] = {
	{ "report", read_reports },
	{ NULL, NULL },
};
