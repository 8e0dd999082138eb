/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/time.h"
#include "gen/tables.h"
#include "node/process/spawn.h"

enum {
	READERS_MAX = 16,
	WAIT_FIRST_MS = 100,
	WAIT_LAST_MS = 10000,
	LIVED_MS = 30000,   /* after which the wait falls back to the first */
	STILLBORN_MAX = 5,  /* deaths before the first READY that end the node */
	STOP_MS = 8000,     /* for all to end after STOP */
};

struct child {
	pid_t pid; /* 0: not running */
	struct chan chan;
	bool ready, ever_ready;
	usec_t started, start_at; /* monotonic; start_at: when to start again */
	unsigned wait_ms, stillborn;
};

struct reader {
	pid_t pid; /* 0: free */
	enum proc of;
	usec_t until;
};

struct supervisor {
	const struct supervisor_config *cfg;
	struct child child[PROC_COUNT];
	struct reader reader[READERS_MAX];
	int signals, lock;
	bool stopping, told_ready;
	usec_t stop_until;
	int fatal; /* error that ends the node */
	struct diag *reterr;
};

/* Started in this order; each pair of the second table is joined. */
static const enum proc order[] = { PROC_KEEPER,	     PROC_HOUSE,      PROC_STRATEGIC,
				   PROC_OPERATIONAL, PROC_PROTECTION, PROC_FRONT };
static const struct {
	enum proc a, b;
} edges[] = {
	{ PROC_FRONT, PROC_HOUSE },	      { PROC_FRONT, PROC_STRATEGIC },
	{ PROC_FRONT, PROC_OPERATIONAL },     { PROC_FRONT, PROC_PROTECTION },
	{ PROC_STRATEGIC, PROC_HOUSE },	      { PROC_OPERATIONAL, PROC_HOUSE },
	{ PROC_PROTECTION, PROC_HOUSE },      { PROC_KEEPER, PROC_HOUSE },
	{ PROC_KEEPER, PROC_STRATEGIC },      { PROC_KEEPER, PROC_OPERATIONAL },
	{ PROC_KEEPER, PROC_PROTECTION },     { PROC_STRATEGIC, PROC_OPERATIONAL },
	{ PROC_STRATEGIC, PROC_PROTECTION },  { PROC_OPERATIONAL, PROC_PROTECTION },
};
enum { ORDER = sizeof(order) / sizeof(*order), EDGES = sizeof(edges) / sizeof(*edges) };

void notify_manager(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path) + 1);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, n);
	(void)close(fd);
}

/* ---- channels ---- */

/* One end of a pair to ${p}: it may speak to ${other} by it. */
static int give_end(struct supervisor *s, enum proc p, enum proc other, int fd)
{
	uint8_t who = (uint8_t)other;
	return chan_send_fd(&s->child[p].chan, MSG_PEER, 0, &who, 1, fd);
}

static void join(struct supervisor *s, enum proc a, enum proc b)
{
	int fds[2];
	if (s->child[a].pid == 0 || s->child[b].pid == 0 || socket_pair(fds, NULL) != 0)
		return;
	/* A child that cannot take it is dying; its next life is joined anew. */
	(void)give_end(s, a, b, fds[0]);
	(void)give_end(s, b, a, fds[1]);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void join_all(struct supervisor *s, enum proc p)
{
	for (size_t i = 0; i < EDGES; i++)
		if (edges[i].a == p || edges[i].b == p)
			join(s, edges[i].a, edges[i].b);
}

/* ---- children ---- */

static int send_boot(struct child *c, const struct wire_boot *boot)
{
	struct buf b;
	buf_init(&b, 65536);
	wire_boot_put(&b, boot);
	int err = buf_failed(&b) ? b.error : chan_send(&c->chan, MSG_BOOT, 0, b.data, b.len);
	buf_release(&b);
	return err != 0 ? err : chan_flush(&c->chan);
}

static int start(struct supervisor *s, enum proc p)
{
	struct child *c = &s->child[p];
	const struct supervisor_child *cfg = &s->cfg->child[p];
	char title[40];
	int fds[2];
	(void)snprintf(title, sizeof(title), "fairway: %s", proc_name(p));
	int err = socket_pair(fds, NULL);
	if (err != 0)
		return err;
	struct spawn sp = { .args = { "--process", proc_name(p) }, .title = title,
			    .fds = { fds[1], p == PROC_FRONT ? s->cfg->listen_fd : -1 },
			    .uid = cfg->uid, .gid = cfg->gid };
	err = spawn_child(&sp, &c->pid, NULL);
	(void)close(fds[1]);
	if (err != 0) {
		(void)close(fds[0]);
		c->pid = 0;
		return err;
	}
	chan_init(&c->chan, fds[0], PROC_SUPERVISOR, p, true);
	c->ready = false;
	c->started = time_mono();
	err = send_boot(c, &cfg->boot);
	if (err == 0)
		join_all(s, p);
	log_line(LOG_L_INFO, "process.start", "%s is process %d", proc_name(p), (int)c->pid);
	return 0; /* if the BOOT did not go, the child ends and is started again */
}

static void start_due(struct supervisor *s)
{
	usec_t now = time_mono();
	for (size_t i = 0; i < ORDER && !s->stopping; i++) {
		struct child *c = &s->child[order[i]];
		if (c->pid == 0 && c->start_at <= now && start(s, order[i]) != 0)
			c->start_at = now + WAIT_LAST_MS * 1000;
	}
}

static void told_cause(int status, char *out, size_t cap)
{
	if (WIFSIGNALED(status))
		(void)snprintf(out, cap, "signal %d%s", WTERMSIG(status),
			       WTERMSIG(status) == SIGSYS ? " (a system call that its walls forbid)" : "");
	else
		(void)snprintf(out, cap, "exit status %d", WEXITSTATUS(status));
}

static void child_died(struct supervisor *s, enum proc p, int status)
{
	struct child *c = &s->child[p];
	char cause[80];
	told_cause(status, cause, sizeof(cause));
	bool lived = time_mono() - c->started > LIVED_MS * INT64_C(1000);
	if (c->wait_ms == 0 || lived)
		c->wait_ms = WAIT_FIRST_MS;
	else if ((c->wait_ms *= 2) > WAIT_LAST_MS)
		c->wait_ms = WAIT_LAST_MS;
	c->stillborn = c->ever_ready ? 0 : c->stillborn + 1;
	chan_close(&c->chan);
	c->pid = 0;
	c->ready = false;
	c->start_at = time_mono() + c->wait_ms * INT64_C(1000);
	if (s->stopping)
		return;
	log_line(LOG_L_ERROR, "process.death", "%s ended: %s; started again in %u ms", proc_name(p), cause,
		 c->wait_ms);
	if (c->stillborn >= STILLBORN_MAX)
		s->fatal = diag_set(s->reterr, FW_EGONE,
				    "the process \"%s\" cannot start (%s); its reason stands in the log above",
				    proc_name(p), cause);
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < PROC_COUNT; i++)
			if (s->child[i].pid == pid)
				child_died(s, (enum proc)i, status);
		for (size_t i = 0; i < READERS_MAX; i++) {
			if (s->reader[i].pid != pid)
				continue;
			char cause[80];
			told_cause(status, cause, sizeof(cause));
			if (status != 0)
				log_line(LOG_L_WARN, "reader.death", "a reader of %s ended: %s",
					 proc_name(s->reader[i].of), cause);
			s->reader[i].pid = 0;
		}
	}
}

/* ---- readers ---- */

static struct reader *free_reader(struct supervisor *s)
{
	unsigned max = s->cfg->readers < READERS_MAX ? s->cfg->readers : READERS_MAX;
	for (size_t i = 0; i < max; i++)
		if (s->reader[i].pid == 0)
			return &s->reader[i];
	return NULL;
}

static int start_reader(struct supervisor *s, struct reader *r, enum proc of, uint64_t tag)
{
	const struct supervisor_child *cfg = &s->cfg->child[PROC_READER];
	int fds[2];
	int err = socket_pair(fds, NULL);
	if (err != 0)
		return err;
	struct spawn sp = { .args = { "--process", "reader", proc_name(of) }, .title = "fairway: reader",
			    .fds = { fds[1], -1 }, .uid = cfg->uid, .gid = cfg->gid };
	err = spawn_child(&sp, &r->pid, NULL);
	if (err != 0)
		r->pid = 0;
	else
		err = chan_send_fd(&s->child[of].chan, MSG_READER, tag, NULL, 0, fds[0]);
	(void)close(fds[0]); /* if the worker did not get it, the reader sees the end and ends */
	(void)close(fds[1]);
	r->of = of;
	r->until = time_mono() + s->cfg->reader_seconds * USEC_PER_SEC;
	return err;
}

static void reader_wanted(struct supervisor *s, enum proc of, uint64_t tag)
{
	struct reader *r = free_reader(s);
	if (r == NULL || start_reader(s, r, of, tag) != 0)
		(void)chan_send(&s->child[of].chan, MSG_READER_NONE, tag, NULL, 0);
}

static void kill_overdue_readers(struct supervisor *s)
{
	for (size_t i = 0; i < READERS_MAX; i++) {
		struct reader *r = &s->reader[i];
		if (r->pid == 0 || r->until > time_mono())
			continue;
		log_line(LOG_L_WARN, "reader.overdue", "a reader of %s took longer than %u s and is ended",
			 proc_name(r->of), s->cfg->reader_seconds);
		(void)kill(r->pid, SIGKILL);
		r->until = INT64_MAX;
	}
}

/* ---- messages ---- */

static bool all_ready(const struct supervisor *s)
{
	for (size_t i = 0; i < ORDER; i++)
		if (!s->child[order[i]].ready)
			return false;
	return true;
}

static void became_ready(struct supervisor *s, enum proc p)
{
	s->child[p].ready = s->child[p].ever_ready = true;
	if (s->told_ready || !all_ready(s))
		return;
	s->told_ready = true;
	notify_manager("READY=1");
	log_line(LOG_L_INFO, "node.ready", "every process is ready");
	if (s->cfg->on_ready != NULL)
		s->cfg->on_ready(s->cfg->arg);
}

static void hear(struct supervisor *s, enum proc p)
{
	struct chan *c = &s->child[p].chan;
	struct message m;
	int got = chan_fill(c);
	while (got == 0 && (got = chan_next(c, &m)) == 1) {
		if (m.type == MSG_READY)
			became_ready(s, p);
		else if (m.type == MSG_READER_WANT)
			reader_wanted(s, p, m.tag);
		got = 0;
	}
	if (got == FW_EPROTO) {
		log_line(LOG_L_ERROR, "process.protocol", "%s broke the protocol and is ended", proc_name(p));
		(void)kill(s->child[p].pid, SIGKILL);
	}
	if (got < 0)
		chan_close(c); /* its death follows as a signal */
}

static void begin_stop(struct supervisor *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->stop_until = time_mono() + STOP_MS * INT64_C(1000);
	notify_manager("STOPPING=1");
	/* The front first: no new work; then those that it gave work to. */
	for (size_t i = ORDER; i-- > 0;) {
		struct child *c = &s->child[order[i]];
		if (c->pid != 0 && chan_send(&c->chan, MSG_STOP, 0, NULL, 0) == 0)
			(void)chan_flush(&c->chan);
	}
	for (size_t i = 0; i < READERS_MAX; i++)
		if (s->reader[i].pid != 0)
			(void)kill(s->reader[i].pid, SIGKILL);
}

static void kill_all(struct supervisor *s)
{
	for (size_t i = 0; i < PROC_COUNT; i++)
		if (s->child[i].pid != 0)
			(void)kill(s->child[i].pid, SIGKILL);
}

static void take_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;
	while (read(s->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			begin_stop(s);
	reap(s);
}

static bool anybody(const struct supervisor *s)
{
	for (size_t i = 0; i < PROC_COUNT; i++)
		if (s->child[i].pid != 0)
			return true;
	return false;
}

/* How long to sleep: until the next start, reader's end or kill; a second at most. */
static int sleep_ms(const struct supervisor *s)
{
	usec_t now = time_mono(), next = now + USEC_PER_SEC;
	for (size_t i = 0; i < ORDER; i++)
		if (s->child[order[i]].pid == 0 && s->child[order[i]].start_at < next)
			next = s->child[order[i]].start_at;
	return next <= now ? 0 : (int)((next - now) / 1000) + 1;
}

static void turn(struct supervisor *s)
{
	struct pollfd fds[ORDER + 1] = { { .fd = s->signals, .events = POLLIN } };
	for (size_t i = 0; i < ORDER; i++) {
		const struct chan *c = &s->child[order[i]].chan;
		bool open = s->child[order[i]].pid != 0 && chan_open(c);
		fds[i + 1] = (struct pollfd){ .fd = open ? c->fd : -1,
					      .events = (short)(POLLIN | (open && chan_waiting(c) ? POLLOUT : 0)) };
	}
	if (poll(fds, ORDER + 1, s->stopping ? 50 : sleep_ms(s)) < 0 && errno != EINTR)
		return;
	for (size_t i = 0; i < ORDER; i++) {
		if (fds[i + 1].revents & POLLOUT)
			(void)chan_flush(&s->child[order[i]].chan);
		if (fds[i + 1].revents & (POLLIN | POLLHUP | POLLERR))
			hear(s, order[i]);
	}
	take_signals(s);
	kill_overdue_readers(s);
	if (s->stopping && time_mono() > s->stop_until)
		kill_all(s);
}

/* The lock that says that this node runs: held as long as the process lives. */
static int lock_folder(struct supervisor *s)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/lock", s->cfg->folder);
	if (n < 0 || (size_t)n >= sizeof(path))
		return diag_set(s->reterr, -ENAMETOOLONG, "the folder's path is too long");
	s->lock = io_open(path, O_RDWR | O_CREAT, 0600);
	if (s->lock < 0)
		return diag_set(s->reterr, s->lock, "cannot open %s: %s", path, err_text(s->lock));
	if (flock(s->lock, LOCK_EX | LOCK_NB) != 0)
		return diag_set(s->reterr, FW_EBUSY, "the node in %s runs already", s->cfg->folder);
	return 0;
}

static int open_signals(struct supervisor *s)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return diag_set(s->reterr, -errno, "cannot block signals");
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? diag_set(s->reterr, -errno, "no signal descriptor") : 0;
}

int supervisor_run(const struct supervisor_config *cfg, struct diag *reterr)
{
	struct supervisor s = { .cfg = cfg, .signals = -1, .lock = -1, .reterr = reterr };
	for (size_t i = 0; i < PROC_COUNT; i++)
		s.child[i].chan.fd = s.child[i].chan.pending_fd = -1;
	int err = lock_folder(&s);
	if (err == 0)
		err = open_signals(&s);
	while (err == 0 && (!s.stopping || anybody(&s))) {
		start_due(&s);
		turn(&s);
		if (s.fatal != 0)
			begin_stop(&s);
	}
	if (s.signals >= 0)
		(void)close(s.signals);
	(void)io_close(s.lock);
	(void)io_close(cfg->listen_fd);
	return err != 0 ? err : s.fatal;
}
