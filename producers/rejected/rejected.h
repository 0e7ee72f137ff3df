/* rejected.h - `tandem rejected`: lists, shows and sends again what could not be counted. */
#ifndef TANDEM_REJECTED_H
#define TANDEM_REJECTED_H

#include "common/command.h"

extern const struct command rejected_command;

#endif
