/* top.h - `tandem top`: the running comparison on a terminal, drawn anew each second. */
#ifndef TANDEM_TOP_H
#define TANDEM_TOP_H

#include "common/command.h"

extern const struct command top_command;

#endif
