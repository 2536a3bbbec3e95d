/* SPDX-License-Identifier: MIT */
/*
 * The stack protector's canary (-mstack-protector-guard=global). Must be set
 * before any protected function that returns is entered.
 */
#pragma once

void stack_protector_start(void);
