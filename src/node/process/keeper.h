/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The keeper: holds the root key, gives each process its own keys once in that
 * process's life, and signs ledgers' heads (node/ledger/signer.h judges).
 *
 *   KEY      data key of the asking process, ticket key (32 zero bytes to none but
 *            the house and the vaults, who are all that may ask), public signing key
 *   SIGN     see signer.h
 *
 * It opens node.key before its walls close; then it can write its own folder
 * and the auditor's, and nothing else.
 */
#ifndef FW_NODE_KEEPER_H
#define FW_NODE_KEEPER_H

/* The whole life of the process; control channel on ${fd}. Returns the exit status. */
int keeper_main(int fd);

#endif
