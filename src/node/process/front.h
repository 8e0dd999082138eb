/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The front: the one process that speaks with the network.
 *
 * It holds no data and no key.  For each request under /api/ it finds the
 * row of the route table, checks all that can be checked from the tables
 * (method, names and types of parameters, content type, size, the form of a
 * JSON body), who asks (token → ticket of the house), that no other site asks
 * in his name, and that nobody asks too often; then it hands the request to
 * the worker of the vault that the row names, and the worker checks
 * everything again.  Everything else it answers itself: the pages, /healthz,
 * /readyz, /metrics, /api/openapi.json.
 *
 *     files      front.c          start, channels, the loop, the end
 *                front_request.c  the way in: from the head to CALL
 *                front_reply.c    the way out: REPLY, REPLY_MORE; uploads
 *                front_pages.c    what it answers itself
 *                front_route.c    path → row            (pure)
 *                front_session.c  token, origin, tickets (pure)
 *                front_limits.c   how often             (pure)
 *
 * What whoever breaks into it can do: docs/security-http.md.
 */
#ifndef FW_NODE_FRONT_H
#define FW_NODE_FRONT_H

/*
 * The whole life of the front.  ${control_fd}: its end of the control channel;
 * BOOT must be the first message on it.  ${listen_fd}: bound and listening, TCP
 * or Unix.  READY goes out when requests are answered (those for a worker
 * that has not said HELLO with 503).  Returns the exit status.
 */
int front_main(int control_fd, int listen_fd);

#endif
