/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * One thread for what would hold up everybody: hashing a password, syncing a
 * large file.  It sees a function and its argument, nothing else of the
 * worker; requests go to it and come back through two lists under one lock.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "node/process/worker_int.h"

static void *run(void *arg)
{
	struct defer *d = arg;
	(void)pthread_mutex_lock(&d->lock);
	for (;;) {
		while (d->todo == NULL && !d->end)
			(void)pthread_cond_wait(&d->come, &d->lock);
		if (d->end)
			break;
		struct req *r = d->todo;
		d->todo = r->queue;
		if (d->todo == NULL)
			d->todo_end = &d->todo;
		(void)pthread_mutex_unlock(&d->lock);
		r->defer_fn(r->defer_arg);
		(void)pthread_mutex_lock(&d->lock);
		r->queue = d->done;
		d->done = r;
		uint64_t one = 1;
		ssize_t n = write(d->wake, &one, sizeof(one));
		(void)n; /* it can only be full of wakes that were not taken yet */
	}
	(void)pthread_mutex_unlock(&d->lock);
	return NULL;
}

int defer_open(struct worker *w, struct diag *reterr)
{
	struct defer *d = &w->defer;
	d->todo_end = &d->todo;
	d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return d->wake < 0 ? diag_set(reterr, -errno, "no event descriptor: %s", err_text(-errno)) : 0;
}

int defer_start(struct worker *w, struct diag *reterr)
{
	struct defer *d = &w->defer;
	int err = pthread_mutex_init(&d->lock, NULL);
	if (err == 0)
		err = pthread_cond_init(&d->come, NULL);
	pthread_attr_t attr;
	if (err == 0)
		err = pthread_attr_init(&attr);
	if (err == 0) {
		(void)pthread_attr_setstacksize(&attr, 256 * 1024);
		err = pthread_create(&d->thread, &attr, run, d);
		(void)pthread_attr_destroy(&attr);
	}
	d->running = err == 0;
	return err == 0 ? 0 : diag_set(reterr, -err, "no thread for slow work: %s", err_text(-err));
}

void defer_stop(struct worker *w)
{
	struct defer *d = &w->defer;
	if (d->running) {
		(void)pthread_mutex_lock(&d->lock);
		d->end = true;
		(void)pthread_cond_signal(&d->come);
		(void)pthread_mutex_unlock(&d->lock);
		(void)pthread_join(d->thread, NULL);
		d->running = false;
	}
	if (d->wake >= 0)
		(void)close(d->wake);
	d->wake = -1;
}

int defer_submit(struct worker *w, struct req *r, void (*fn)(void *arg), void *arg)
{
	struct defer *d = &w->defer;
	if (d->waiting >= DEFER_MAX)
		return FW_EBUSY;
	d->waiting++;
	r->defer_fn = fn;
	r->defer_arg = arg;
	(void)pthread_mutex_lock(&d->lock);
	r->queue = NULL;
	*d->todo_end = r;
	d->todo_end = &r->queue;
	(void)pthread_cond_signal(&d->come);
	(void)pthread_mutex_unlock(&d->lock);
	return 0;
}

void defer_collect(struct worker *w)
{
	struct defer *d = &w->defer;
	uint64_t n;
	if (read(d->wake, &n, sizeof(n)) != sizeof(n))
		return;
	(void)pthread_mutex_lock(&d->lock);
	struct req *done = d->done;
	d->done = NULL;
	(void)pthread_mutex_unlock(&d->lock);
	while (done != NULL) {
		struct req *r = done;
		done = r->queue;
		d->waiting--;
		if (r->gone) {
			req_end(w, r);
			continue;
		}
		if (r->state == REQ_DEFER)
			r->call.deferred = r->defer_arg;
		r->mark = arena_mark(r->mem); /* what was computed stays over a second run */
		req_ready(w, r);
	}
}

int call_defer(struct call *c, void (*fn)(void *arg), void *arg)
{
	struct req *r = req_of(c);
	if (c->worker->defer.waiting >= DEFER_MAX)
		return FW_EBUSY;
	r->defer_fn = fn;
	r->defer_arg = arg;
	return CALL_DEFERRED;
}
