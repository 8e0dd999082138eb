/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What a command says to the person before it, and what it asks. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cmd/cmd.h"
#include "codec/json.h"

enum { SECRET_MAX = 1024 };

bool cmd_progress(const struct cmd_context *c)
{
	return !cmd_json(c) && !cmd_flag(c, "quiet") && isatty(STDERR_FILENO) == 1;
}

int cmd_exit_of(int code)
{
	switch (code) {
	case 0: return FW_EXIT_OK;
	case FW_EAUTH: return FW_EXIT_LOGIN;
	case FW_EDENIED: return FW_EXIT_DENIED;
	case FW_ENOTFOUND: return FW_EXIT_NOT_FOUND;
	case FW_EEXISTS:
	case FW_ECONFLICT: return FW_EXIT_CONFLICT;
	case FW_EINVALID:
	case FW_EFORMAT:
	case FW_ERANGE:
	case FW_ECHARSET: return FW_EXIT_INVALID;
	case FW_EGONE: return FW_EXIT_UNREACHABLE;
	case FW_EBUSY: return FW_EXIT_BUSY;
	case FW_ETAMPERED:
	case FW_ECRYPTO: return FW_EXIT_UNVERIFIED;
	default: return FW_EXIT_FAILED;
	}
}

int cmd_fail(const struct cmd_context *c, int code, const struct diag *d)
{
	const char *text = d != NULL && d->text[0] != '\0' ? d->text : err_text(code);
	const char *place = d != NULL ? d->place : "";
	if (cmd_json(c)) {
		struct buf b;
		struct jw j;
		buf_init(&b, 8192);
		jw_init(&j, &b);
		jw_object(&j);
		jw_put_string(&j, "code", err_name(code));
		jw_put_string(&j, "detail", text);
		if (place[0] != '\0')
			jw_put_string(&j, "place", place);
		jw_end(&j);
		(void)fprintf(stderr, "%.*s\n", (int)b.len, (const char *)b.data);
		buf_release(&b);
	} else {
		(void)fprintf(stderr, "fairway: %s%s%s\n", place, place[0] != '\0' ? ": " : "", text);
	}
	return cmd_exit_of(code);
}

/* One line from the terminal, or from standard input when there is none. */
static char *read_line(const struct cmd_context *c, const char *prompt, bool echo, struct diag *reterr)
{
	char line[SECRET_MAX + 2];
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	int in = fd >= 0 ? fd : STDIN_FILENO;
	struct termios was, now;
	bool quiet = !echo && tcgetattr(in, &was) == 0;
	(void)dprintf(fd >= 0 ? fd : STDERR_FILENO, "%s: ", prompt);
	if (quiet) {
		now = was;
		now.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(in, TCSAFLUSH, &now);
	}
	size_t n = 0;
	char byte = 0;
	while (n < sizeof(line) - 1 && read(in, &byte, 1) == 1 && byte != '\n')
		line[n++] = byte;
	line[n] = '\0';
	if (quiet) {
		(void)tcsetattr(in, TCSAFLUSH, &was);
		(void)dprintf(fd >= 0 ? fd : STDERR_FILENO, "\n");
	}
	if (fd >= 0)
		(void)close(fd);
	char *copy = NULL;
	if (n == 0 && byte != '\n')
		(void)diag_set(reterr, FW_EINVALID, "nobody answered \"%s\"", prompt);
	else if (n > SECRET_MAX)
		(void)diag_set(reterr, FW_EINVALID, "the answer to \"%s\" is longer than %d bytes", prompt, SECRET_MAX);
	else
		copy = arena_strdup(c->mem, line);
	sodium_memzero(line, sizeof(line));
	return copy;
}

char *cmd_ask_secret(const struct cmd_context *c, const char *prompt, struct diag *reterr)
{
	return read_line(c, prompt, false, reterr);
}

char *cmd_ask_line(const struct cmd_context *c, const char *prompt, struct diag *reterr)
{
	return read_line(c, prompt, true, reterr);
}

char *cmd_first_line(const struct cmd_context *c, const char *path, struct diag *reterr)
{
	struct buf b;
	buf_init(&b, 16384);
	char *line = NULL;
	if (io_read_file(path, &b, reterr) == 0) {
		const uint8_t *end = b.len > 0 ? memchr(b.data, '\n', b.len) : NULL;
		size_t n = end != NULL ? (size_t)(end - b.data) : b.len;
		n -= n > 0 && b.data[n - 1] == '\r';
		line = arena_strndup(c->mem, (const char *)b.data, n);
	}
	buf_wipe(&b);
	buf_release(&b);
	return line;
}

void cmd_wipe(char *secret)
{
	if (secret != NULL)
		sodium_memzero(secret, strlen(secret));
}
