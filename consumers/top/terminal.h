/* terminal.h - a terminal taken over, and given back as it was.
 *
 * Another screen, no echo, no cursor, keys one by one. It is given back by terminal_close(), while
 * the process is stopped (Ctrl-Z), and by a second signal that ends the process at once. */
#ifndef TANDEM_TERMINAL_H
#define TANDEM_TERMINAL_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes over stdin and stdout; one at a time in a process. 0, or -1. */
int terminal_open(struct error *err);
void terminal_close(void);
/* Which signal asked to end (HUP, INT, TERM, QUIT), 0: none yet. */
int terminal_stopping(void);
/* A key, or 0 when `wait_ms` passed, a signal came or the size changed; -1: nobody is there. */
int terminal_key(int64_t wait_ms);
/* Shows text from the upper left corner on, as many lines as there is room for. */
void terminal_show(const char *text);

#endif
