/* SPDX-License-Identifier: MIT */
/*
 * Where the CPU enters on exceptions and interrupts (Intel SDM 3A 6.14): one
 * stub per vector, then one path that saves the general registers as struct
 * interrupt_frame (kernel/trap.h). SSE registers are not saved: nothing that
 * runs before IRETQ uses them.
 */

#define EXCEPTION_STUB_BYTES 16 /* as in idt.c, and the next */
#define INTERRUPT_STUB_BYTES 8
#define VECTORS    80 /* as in trap.h */
#define EXCEPTIONS 32
#define SELECTOR_CODE 0x08
#define FRAME_RIP  (17 * 8)

/* Exceptions for which the CPU itself pushes an error code, as a bit map. */
#define HAS_ERROR_CODE 0x60227d00

    .text

    .globl exception_stubs
    .balign EXCEPTION_STUB_BYTES
exception_stubs:
    .set vector, 0
    .rept EXCEPTIONS
    .balign EXCEPTION_STUB_BYTES
    .if ((HAS_ERROR_CODE >> vector) & 1) == 0
    pushq $0
    .endif
    pushq $vector
    jmp trap_common
    .set vector, vector + 1
    .endr

    /* The vector as a signed byte, to fit a stub into eight. */
    .globl interrupt_stubs
    .balign INTERRUPT_STUB_BYTES
interrupt_stubs:
    .rept VECTORS - EXCEPTIONS
    .balign INTERRUPT_STUB_BYTES
    pushq $((vector ^ 128) - 128)
    jmp interrupt_common
    .set vector, vector + 1
    .endr

interrupt_common:
    pushq (%rsp)
trap_common:
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld                         /* the ABI's; the interrupted code may differ */
    movq %rsp, %rbx             /* survives the call */
    movq %rsp, %rsi
    movzbl 15*8(%rsp), %edi
    movq %rdi, 15*8(%rsp)

    /* A frame record, so that a backtrace goes on in what was interrupted. */
    pushq FRAME_RIP(%rsp)
    pushq %rbp
    movq %rsp, %rbp

    cmpl $EXCEPTIONS, %edi
    jb 1f
    call interrupt_dispatch     /* (vector, frame) */
    movq %rbx, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
    addq $16, %rsp              /* vector and error code */
    iretq

1:  movq %rsi, %rdi
    call exception_dispatch     /* (frame), never returns */
    ud2

/* void stack_call(void (*function)(void), void *top) */
    .globl stack_call
    .balign 16
stack_call:
    pushq %rbp
    movq %rsp, %rbp
    movq %rsi, %rsp
    call *%rdi
    movq %rbp, %rsp
    popq %rbp
    ret

    .section .note.GNU-stack, "", @progbits
