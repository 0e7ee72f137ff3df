/* doctor.h - `tandem doctor`: what is well and what is not, and the command that mends it. */
#ifndef TANDEM_DOCTOR_H
#define TANDEM_DOCTOR_H

#include "common/command.h"

extern const struct command doctor_command;

#endif
