/* SPDX-License-Identifier: MIT */
/*
 * The attribute macros the kernel uses: the only vendor extensions besides
 * the inline assembly of cpu.h.
 */
#pragma once

#define PRINTF_LIKE(format, first) __attribute__((format(printf, format, first)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define IN_SECTION(name) __attribute__((section(name)))
#define WITHOUT_STACK_PROTECTOR __attribute__((no_stack_protector))
