/* SPDX-License-Identifier: MIT */
/* Content types by a file's extension. */
#pragma once

const char *mime_from_path(const char *path);
