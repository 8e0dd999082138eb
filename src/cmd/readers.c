/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "cmd/vaults.h"
#include "domain/report/report.h"

const struct reader_row *reader_rows(void)
{
	return report_readers;
}
