namespace Dashboard.Sandbox.Market;

/// <summary>Chance as a pure function: the same seed and the same question always give the same answer, in any order of asking.</summary>
internal readonly record struct Dice(ulong Seed)
{
    /// <summary>A number in [0, 1) for a topic and up to two coordinates.</summary>
    public double Roll(string topic, long a, long b = 0)
    {
        var mixed = Seed;
        foreach (var letter in topic)
        {
            mixed = Mix(mixed ^ letter);
        }

        mixed = Mix(mixed ^ unchecked((ulong)a));
        mixed = Mix(mixed ^ unchecked((ulong)b));
        return (mixed >> 11) * (1.0 / (1UL << 53));
    }

    public double Between(double low, double high, string topic, long a, long b = 0) => low + ((high - low) * Roll(topic, a, b));

    public T Pick<T>(IReadOnlyList<T> choices, string topic, long a, long b = 0) => choices[(int)(Roll(topic, a, b) * choices.Count)];

    /// <summary>A smooth curve in [-1, 1] through one random value per period.</summary>
    public double Drift(string topic, long a, double time, double period)
    {
        var position = time / period;
        var node = Math.Floor(position);
        var between = position - node;
        var eased = between * between * (3 - (2 * between));
        var left = Roll(topic, a, (long)node);
        var right = Roll(topic, a, (long)node + 1);
        return (2 * (left + ((right - left) * eased))) - 1;
    }

    // SplitMix64: every input bit reaches every output bit, which neighbouring ids need.
    private static ulong Mix(ulong value)
    {
        unchecked
        {
            value += 0x9E3779B97F4A7C15UL;
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9UL;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EBUL;
            return value ^ (value >> 31);
        }
    }
}
