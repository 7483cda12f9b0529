/** Numbers that a seed determines (mulberry32), so that a failure can be had again. */
export class Random {
    constructor(private state: number) {
        this.state = Math.imul(state, 0x9e3779b1) >>> 0;
    }

    /** From 0 to 1, without 1. */
    next(): number {
        this.state = (this.state + 0x6d2b79f5) >>> 0;
        let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
        mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    }

    /** A whole number, both ends included. */
    between(least: number, most: number): number {
        return least + Math.floor(this.next() * (most - least + 1));
    }
}
