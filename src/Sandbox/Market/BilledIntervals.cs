namespace Dashboard.Sandbox.Market;

/// <summary>Lists of billed intervals of which at most the last one is open.</summary>
internal static class BilledIntervals
{
    public static void Close(this List<BilledInterval> intervals, DateTimeOffset now)
    {
        if (intervals.Count > 0 && intervals[^1].End is null)
        {
            intervals[^1] = intervals[^1] with { End = now };
        }
    }

    // An interval may have begun after the moment at which the market was last seen: then it lasted no time.
    public static void CloseAt(this List<BilledInterval> intervals, DateTimeOffset seen)
    {
        if (intervals.Count > 0)
        {
            intervals.Close(intervals[^1].Start > seen ? intervals[^1].Start : seen);
        }
    }
}
