export async function until(what: string, holds: () => boolean, mostMs = 30_000): Promise<void> {
    for (const deadline = Date.now() + mostMs; !holds(); ) {
        if (Date.now() > deadline) {
            throw new Error(`waited in vain for ${what}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
    }
}
