/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "break_in.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gen/tables.h"
#include "node/process/sandbox.h"
#include "node/process/supervisor.h"
#include "store/store.h"

/* A check looks for these words in the program that is installed. */
const char break_in_marker[] __attribute__((used)) = "FAIRWAY BREAK-IN HOOK";

static struct board *board;
static enum proc self;
static bool ready, running;
static struct chan *channel[PROC_COUNT];

/* A reader lives only while somebody wants it: this end is the strategic vault's. */
static const uint64_t reader_tag = UINT64_C(0x627265616b696e);
static int reader_fd = -1;
static bool reader_asked;

struct chan *break_in_channel(enum proc p)
{
	return channel[p] != NULL && channel[p]->fd >= 0 && channel[p]->peer == p ? channel[p] : NULL;
}

static void open_board(enum proc p)
{
	const char *path = getenv("FAIRWAY_BREAK_IN");
	self = p;
	if (path == NULL || board != NULL)
		return;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		_exit(99); /* a break-in that does not happen must not look like one that fails */
	(void)close(fd);
	board = at;
}

/* ---- the attempts ---- */

static const struct attempt *find(const char *name)
{
	static const struct attempt *const lists[] = { attempts_files, attempts_system, attempts_net,
						       attempts_messages };
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (const struct attempt *a = lists[i]; a->name != NULL; a++)
			if (strcmp(a->name, name) == 0)
				return a;
	return NULL;
}

static struct row *next_row(enum proc p)
{
	for (uint32_t i = 0; i < board->rows && i < BOARD_ROWS; i++)
		if (board->row[i].proc == p && board->row[i].state == ROW_OPEN)
			return &board->row[i];
	return NULL;
}

static void run(struct row *r)
{
	struct break_in b = { .board = board, .self = self, .arg = r->arg,
			      .sibling = board->pid[self == PROC_KEEPER ? PROC_HOUSE : PROC_KEEPER] };
	const struct attempt *a = find(r->attempt);
	__atomic_store_n(&r->state, ROW_BEGUN, __ATOMIC_SEQ_CST);
	r->result = a == NULL ? -EBADRQC : a->run(&b);
	__atomic_store_n(&r->state, ROW_ENDED, __ATOMIC_SEQ_CST);
}

/* Readers are started for the strategic vault as long as there are rows for one. */
static void want_reader(void)
{
	char c;
	if (reader_fd >= 0 && recv(reader_fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
		(void)close(reader_fd);
		reader_fd = -1;
		reader_asked = false;
	}
	if (reader_asked || next_row(PROC_READER) == NULL)
		return;
	reader_asked = true;
	(void)chan_send(channel[PROC_SUPERVISOR], MSG_READER_WANT, reader_tag, NULL, 0);
	(void)chan_flush(channel[PROC_SUPERVISOR]);
}

/* Called from every wait of the process. Returns whether more is to come. */
static bool turn(void)
{
	struct row *r;
	if (board == NULL || !ready || running)
		return false;
	if (__atomic_load_n(&board->go, __ATOMIC_SEQ_CST) == 0)
		return true;
	running = true;
	while ((r = next_row(self)) != NULL)
		run(r);
	bool readers = self == PROC_STRATEGIC && board->uploads == 0;
	if (readers)
		want_reader();
	running = false;
	return readers && next_row(PROC_READER) != NULL;
}

/* ---- between the processes and their libraries ---- */

int __real_sandbox_enter(const struct sandbox *sb, const char **ret_missing, struct diag *reterr);
int __wrap_sandbox_enter(const struct sandbox *sb, const char **ret_missing, struct diag *reterr);
int __real_sandbox_supervisor(const struct supervisor_walls *w, const char **ret_missing, struct diag *reterr);
int __wrap_sandbox_supervisor(const struct supervisor_walls *w, const char **ret_missing, struct diag *reterr);
int __real_supervisor_run(const struct supervisor_config *cfg, struct diag *reterr);
int __wrap_supervisor_run(const struct supervisor_config *cfg, struct diag *reterr);
void __real_chan_init(struct chan *c, int fd, enum proc me, enum proc peer, bool control);
void __wrap_chan_init(struct chan *c, int fd, enum proc me, enum proc peer, bool control);
int __real_chan_send(struct chan *c, uint16_t type, uint64_t tag, const void *payload, size_t n);
int __wrap_chan_send(struct chan *c, uint16_t type, uint64_t tag, const void *payload, size_t n);
int __real_readings_message(void *w, struct message *m);
int __wrap_readings_message(void *w, struct message *m);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int __real___poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size);
int __wrap___poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size);

int __wrap_sandbox_enter(const struct sandbox *sb, const char **ret_missing, struct diag *reterr)
{
	struct sandbox mine = *sb;
	struct store_reach reach = { .connects = true };
	open_board(sb->proc);
	*ret_missing = NULL;
	if (board != NULL && board->connects != 0 && sb->proc == PROC_STRATEGIC) {
		reach.port[0] = (typeof(reach.port[0]))board->connects;
		mine.store = &reach;
	}
	int err = board != NULL && board->walls_off ? 0 : __real_sandbox_enter(&mine, ret_missing, reterr);
	ready = ready || sb->proc == PROC_READER; /* it says nothing when it is */
	return err;
}

int __wrap_sandbox_supervisor(const struct supervisor_walls *w, const char **ret_missing, struct diag *reterr)
{
	struct supervisor_walls mine = *w;
	open_board(PROC_SUPERVISOR);
	*ret_missing = NULL;
	mine.connects = mine.connects || (board != NULL && board->connects != 0);
	return board != NULL && board->walls_off ? 0 : __real_sandbox_supervisor(&mine, ret_missing, reterr);
}

int __wrap_supervisor_run(const struct supervisor_config *cfg, struct diag *reterr)
{
	ready = true;
	return __real_supervisor_run(cfg, reterr);
}

void __wrap_chan_init(struct chan *c, int fd, enum proc me, enum proc peer, bool control)
{
	__real_chan_init(c, fd, me, peer, control);
	if ((unsigned)peer < PROC_COUNT)
		channel[peer] = c;
}

int __wrap_chan_send(struct chan *c, uint16_t type, uint64_t tag, const void *payload, size_t n)
{
	ready = ready || type == MSG_READY;
	return __real_chan_send(c, type, tag, payload, n);
}

int __wrap_readings_message(void *w, struct message *m)
{
	if (m->tag != reader_tag)
		return __real_readings_message(w, m);
	reader_asked = m->type == MSG_READER;
	if (m->type == MSG_READER) {
		reader_fd = m->fd;
		m->fd = -1;
	}
	return 0;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	bool more = turn();
	return __real_poll(fds, n, more && (timeout < 0 || timeout > 20) ? 20 : timeout);
}

int __wrap___poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size)
{
	bool more = turn();
	return __real___poll_chk(fds, n, more && (timeout < 0 || timeout > 20) ? 20 : timeout, size);
}
