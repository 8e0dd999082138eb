/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/child.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/time.h"
#include "gen/tables.h"
#include "node/process/sandbox.h"

enum { BOOT_WAIT_MS = 10000 };

int child_await(struct chan *c, struct message *ret, int timeout_ms)
{
	usec_t until = time_mono() + timeout_ms * INT64_C(1000);
	for (;;) {
		int got = chan_next(c, ret);
		if (got != 0)
			return got < 0 ? got : 0;
		usec_t left = until - time_mono();
		if (left <= 0)
			return FW_EBUSY;
		struct pollfd p = { .fd = c->fd,
				    .events = (short)(POLLIN | (chan_waiting(c) > 0 ? POLLOUT : 0)) };
		if (poll(&p, 1, (int)(left / 1000) + 1) < 0 && errno != EINTR)
			return FW_EGONE;
		int err = chan_flush(c);
		if (err == 0)
			err = chan_fill(c);
		if (err != 0)
			return err;
	}
}

static void set_log_level(const char *name)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	for (int l = LOG_L_DEBUG; name != NULL && l <= LOG_L_ERROR; l++)
		if (strcmp(names[l], name) == 0)
			log_level((enum log_level)l);
}

int child_begin(enum proc self, int fd, struct chan *ret_control, struct arena *mem, struct wire_boot *ret,
		struct diag *reterr)
{
	struct message m;
	log_process(proc_name(self));
	chan_init(ret_control, fd, self, PROC_SUPERVISOR, true);
	int err = child_await(ret_control, &m, BOOT_WAIT_MS);
	if (err == 0)
		err = m.type == MSG_BOOT ? wire_boot_get(&m.body, mem, ret) : FW_EPROTO;
	if (err != 0)
		return diag_set(reterr, err, "no word from the supervisor; this program is started by fairway serve");
	time_test_offset(ret->test_clock);
	set_log_level(wire_boot_setting(ret, "log.level"));
	return 0;
}

int child_walls(const struct wire_boot *boot, const struct sandbox *sb, const char **ret_missing, struct diag *reterr)
{
	const char *want = wire_boot_setting(boot, "process.sandbox");
	int err = sandbox_enter(sb, ret_missing, reterr);
	if (err != 0 || *ret_missing == NULL)
		return err;
	if (want == NULL || strcmp(want, "available") != 0)
		return diag_set(reterr, -ENOSYS, "%s; the setting process.sandbox = available starts without it",
				*ret_missing);
	log_line(LOG_L_WARN, "sandbox.missing", "%s", *ret_missing);
	return 0;
}

int child_ready(struct chan *control)
{
	int err = chan_send(control, MSG_READY, 0, NULL, 0);
	return err != 0 ? err : chan_flush(control);
}

int child_failed(int err, const struct diag *d)
{
	char words[DIAG_PLACE_MAX + DIAG_TEXT_MAX + 4];
	diag_format(d, err, words, sizeof(words));
	log_line(LOG_L_ERROR, "process.failed", "%s", words);
	return EXIT_FAILURE;
}

int64_t child_setting_int(const struct wire_boot *boot, const char *name, int64_t absent)
{
	const char *text = wire_boot_setting(boot, name);
	if (text == NULL)
		return absent;
	char *end;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	return errno != 0 || end == text || *end != '\0' ? absent : v;
}
