/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Log lines for the operator: one JSON object a line on stderr, which journald
 * takes.  Only cmd/ and the process loops log; libraries return a diag.  No
 * personal data, no names, no query strings ever go here: opaque ids only.
 */
#ifndef FW_BASE_LOG_H
#define FW_BASE_LOG_H

enum log_level { LOG_L_DEBUG, LOG_L_INFO, LOG_L_WARN, LOG_L_ERROR };

/* Name this process in every line ("front", "strategic"); static storage. */
void log_process(const char *name);
void log_level(enum log_level least);
/* One line: {"t":...,"level":...,"process":...,"pid":...,"event":EVENT,"msg":...}. */
__attribute__((format(printf, 3, 4))) void log_line(enum log_level l, const char *event,
						    const char *fmt, ...);
#endif
