/* SPDX-License-Identifier: MIT */
/*
 * Where the CPU enters on exceptions and interrupts (Intel SDM 3A 6.14): one
 * stub per vector, then one path that saves the general registers as struct
 * interrupt_frame (kernel/trap.h). SSE registers are not saved: nothing that
 * runs before IRETQ uses them. And panic(), which begins by saving its
 * caller's registers.
 */

#define EXCEPTION_STUB_BYTES 16 /* as in idt.c, and the next */
#define INTERRUPT_STUB_BYTES 8
#define VECTORS    80 /* as in trap.h */
#define EXCEPTIONS 32
#define SELECTOR_CODE 0x08
#define FRAME_RIP  (17 * 8)

/* Exceptions for which the CPU itself pushes an error code, as a bit map. */
#define HAS_ERROR_CODE 0x60227d00

    .macro SAVE_REGISTERS
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
    .endm

    .text

/* void panic(const char *format, ...): with all arguments where they are, to
 * panic_continue(). */
#define FRAME_VECTOR (15 * 8)
#define FRAME_RFLAGS (19 * 8)
#define FRAME_RSP    (20 * 8)
    .globl panic
panic:
    pushfq
    cli
    popq panic_frame + FRAME_RFLAGS(%rip)
    popq panic_frame + FRAME_RIP(%rip)
    movq %rsp, panic_frame + FRAME_RSP(%rip)
    leaq panic_frame + FRAME_VECTOR(%rip), %rsp
    SAVE_REGISTERS
    movq panic_frame + FRAME_RSP(%rip), %rsp
    pushq panic_frame + FRAME_RIP(%rip)
    jmp panic_continue

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
    SAVE_REGISTERS
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
