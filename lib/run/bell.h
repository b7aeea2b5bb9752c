/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doorbell between a daemon and a shim: packets of 16 bytes that carry a kind and a number, no
 * data. Each number replaces the one of its kind that could not be sent yet. Needs only libc.
 */
#ifndef AMK_RUN_BELL_H
#define AMK_RUN_BELL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum amk_bell_kind {
	/* daemon to shim */
	AMK_BELL_IN,  /* the in spool is written up to here */
	AMK_BELL_END, /* end the tree; KILL after so many ms */
	AMK_BELL_ASK, /* send BEGUN, DONE and OUT */
	/* shim to daemon */
	AMK_BELL_BEGUN, /* nothing of the in spool from here on has gone to the program */
	AMK_BELL_DONE,	/* everything before this has */
	AMK_BELL_OUT,	/* the out spool is written up to here */
	AMK_BELL_ENDED, /* the end file is there */
	/* daemon to shim; those of an older version leave them alone */
	AMK_BELL_SWEEP, /* the turn of that number was cancelled and is over: end what its tools left */
	AMK_BELL_TURN,	/* the turn of that number begins; told before its message is */
	AMK_BELL_COUNT
};

/* Both sides run on one machine: native byte order. */
struct amk_bell_packet {
	uint32_t kind;
	uint32_t zero;
	uint64_t value;
};

struct amk_bell {
	int fd;		  /* SOCK_SEQPACKET, owned; -1 while nobody is there */
	uint32_t waiting; /* kinds not sent yet, one bit each */
	uint64_t value[AMK_BELL_COUNT];
};

void amk_bell_init(struct amk_bell *b);
/* Takes fd over, in place of the one there was. What waits goes to the new peer. */
void amk_bell_connect(struct amk_bell *b, int fd);
void amk_bell_close(struct amk_bell *b);

/* Notes the number; amk_bell_flush sends it. */
void amk_bell_ring(struct amk_bell *b, enum amk_bell_kind kind, uint64_t value);
/* Sends what it can without waiting. If something stays (b->waiting), call again when writable. */
void amk_bell_flush(struct amk_bell *b);
/* 1: a packet; 0: none now; -1: the peer has gone. */
int amk_bell_read(struct amk_bell *b, struct amk_bell_packet *p);
/* The peer's pid if it is of our own user or root, else -1. */
pid_t amk_bell_peer(const struct amk_bell *b);

#endif
