/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The keeper: the one process that has the node's keys.
 *
 *   KEY_ASK   the asking vault's data key, the ticket key, the public signing
 *             key.  Answered once for each channel, and a channel is made for
 *             each start of a process: who breaks into a worker finds the keys that it
 *             holds anyway, and cannot fetch them again.
 *   SIGN_ASK  a signed checkpoint of the asking vault's ledger, if its proof
 *             holds (node/ledger/signer.h).
 *
 * Which vault asks follows from the channel, never from the message.
 */
#ifndef FW_NODE_KEEPER_H
#define FW_NODE_KEEPER_H

/* The whole life of the keeper. ${key_fd}: node.key, opened by the supervisor. Returns the exit status. */
int keeper_main(int control_fd, int key_fd);

#endif
