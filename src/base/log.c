/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"

enum { LINE = 2048, MESSAGE = 1024 };

static const char *process = "fairway";
static enum log_level least = LOG_L_INFO;

void log_process(const char *name)
{
	process = name;
}

void log_level(enum log_level l)
{
	least = l;
}

/* Escape ${s} for a JSON string; what does not fit is cut. Bytes below space and the two special ones become \u00XX. */
static void escape(const char *s, char *out, size_t cap)
{
	size_t n = 0;
	for (; *s != '\0' && n + 7 < cap; s++) {
		unsigned char c = (unsigned char)*s;
		if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
			n += (size_t)snprintf(out + n, cap - n, "\\u%04x", (unsigned)c);
		else
			out[n++] = (char)c;
	}
	out[n] = '\0';
}

void log_line(enum log_level l, const char *event, const char *fmt, ...)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	if (l < least)
		return;
	char msg[MESSAGE], safe[MESSAGE], line[LINE], t[TIME_TEXT_LEN + 1];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	escape(msg, safe, sizeof(safe));
	time_format(time_now(), t);
	int n = snprintf(line, sizeof(line),
			 "{\"t\":\"%s\",\"level\":\"%s\",\"process\":\"%s\",\"pid\":%d,\"event\":\"%s\","
			 "\"msg\":\"%s\"}\n",
			 t, names[l], process, (int)getpid(), event, safe);
	/* One write, so that lines of several processes do not mix. A log that cannot be written stops nobody. */
	ssize_t done = write(STDERR_FILENO, line, n < LINE ? (size_t)n : LINE - 1);
	(void)done;
}
