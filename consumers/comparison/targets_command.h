/* targets_command.h - `tandem targets FILE`: checks a targets file and prints it. */
#ifndef TANDEM_TARGETS_COMMAND_H
#define TANDEM_TARGETS_COMMAND_H

#include "common/command.h"

extern const struct command targets_command;

#endif
