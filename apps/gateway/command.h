/* SPDX-License-Identifier: MIT */
/* Commands typed on the console: "help" lists them. */
#pragma once

/* False: the console cannot be read. `reload` reads both files again. */
_Bool command_start(void (*reload)(void));
/* Whatever has been typed since; true if there was something. */
_Bool command_poll(void);
