/* simulate.h - `tandem simulate`: the events of a believable business (docs/simulate.md). */
#ifndef TANDEM_SIMULATE_H
#define TANDEM_SIMULATE_H

#include "common/command.h"

extern const struct command simulate_command;

#endif
