/* rebuild.h - `tandem rebuild`: counts the log anew beside the live counters, then takes their
 * place. docs/recount.md. */
#ifndef TANDEM_REBUILD_H
#define TANDEM_REBUILD_H

#include "common/command.h"

extern const struct command rebuild_command;

#endif
