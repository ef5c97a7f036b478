using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Web.Features.Jobs;

/// <summary>What a stretch of an attempt was.</summary>
public enum LifeKind
{
    Starting,
    Running,
    Collecting,

    /// <summary>Stopped by another renter and kept: only its disk bills.</summary>
    Kept,

    /// <summary>Stopped by a person and kept: only its disk bills.</summary>
    Parked,

    /// <summary>What is expected to come.</summary>
    Future,
}

/// <param name="Left">Percent of the axis, from its left end.</param>
/// <param name="Width">Percent of the axis.</param>
/// <param name="Cost">What the machine cost in it; null for the future or when money is not to be seen.</param>
public sealed record LifeSegment(LifeKind Kind, DateTimeOffset From, DateTimeOffset To, double Left, double Width, Money? Cost);

/// <param name="Ended">Whether its machine is done with.</param>
public sealed record LifeRow(AttemptLife Attempt, IReadOnlyList<LifeSegment> Segments, bool Ended);

/// <summary>The facts of one attempt that the strip is made of, from its row, its machine's row and its events.</summary>
/// <param name="BilledFrom">When its contract, and so its disk, began to bill.</param>
/// <param name="GpuFrom">When the provider first said it runs.</param>
/// <param name="StartedAt">When the program started.</param>
/// <param name="CollectingAt">When its files began to come home.</param>
/// <param name="EndedAt">When destroying was accepted, or the machine was gone; null while it lives.</param>
/// <param name="Caption">Words under its number, such as <c>lost, outbid</c>.</param>
public sealed record AttemptLife(
    int Number,
    DateTimeOffset CreatedAt,
    DateTimeOffset? BilledFrom,
    DateTimeOffset? GpuFrom,
    DateTimeOffset? StartedAt,
    DateTimeOffset? CollectingAt,
    DateTimeOffset? EndedAt,
    HourlyRate GpuRate,
    HourlyRate DiskRate,
    string? Place,
    string? Caption)
{
    /// <summary>When the machine was stopped and kept.</summary>
    public IReadOnlyList<Pause> Pauses { get; init; } = [];
}

/// <summary>Attempts as rows on one time axis. A function of values: the same facts give the same strip, now or years later.</summary>
/// <param name="Now">Percent of the axis; null once it has ended.</param>
public sealed record LifeStripLayout(DateTimeOffset From, DateTimeOffset To, double? Now, IReadOnlyList<LifeRow> Rows, IReadOnlyList<LifeTick> Ticks)
{
    /// <summary>Half the room that a tick's words take on a phone, percent of the axis. Words at the ends lie inside it, so they reach twice as far.</summary>
    private static double HalfWidth(LifeTickKind kind) => kind switch
    {
        LifeTickKind.Time => 9,
        LifeTickKind.Now => 12,
        LifeTickKind.Expected => 14,
    };

    /// <param name="endedAt">End of the job; null while it lives.</param>
    /// <param name="left">Expected time to its end, if known.</param>
    /// <param name="seesMoney">Whether segments carry their cost.</param>
    public static LifeStripLayout Of(DateTimeOffset submittedAt, DateTimeOffset? endedAt, IReadOnlyList<AttemptLife> attempts, TimeSpan? left, DateTimeOffset now, bool seesMoney)
    {
        var live = endedAt is null;
        var edge = endedAt ?? now; // nothing is drawn solid beyond it
        var from = attempts.Count > 0 ? attempts.Min(a => a.CreatedAt) : submittedAt;
        var to = live ? now + (left ?? TimeSpan.Zero) : Latest(edge, attempts.Select(a => a.EndedAt ?? edge));
        to = to > from ? to : from + TimeSpan.FromSeconds(1);
        var axis = new Axis(from, to);

        var rows = attempts.OrderBy(a => a.Number).Select(attempt =>
        {
            var last = attempt.Number == attempts.Max(a => a.Number);
            var segments = Past(attempt, edge, axis, seesMoney).ToList();
            if (live && last && attempt.EndedAt is null && attempt.CollectingAt is null && to > now)
            {
                segments.Add(axis.Segment(LifeKind.Future, now, to, null));
            }

            return new LifeRow(attempt, segments, attempt.EndedAt is not null || !live);
        }).ToList();

        return new(from, to, live ? axis.At(now) : null, rows, Marks(axis, live ? now : null, attempts));
    }

    private static IEnumerable<LifeSegment> Past(AttemptLife attempt, DateTimeOffset edge, Axis axis, bool seesMoney)
    {
        var end = attempt.EndedAt ?? edge;
        var collecting = Earlier(attempt.CollectingAt ?? end, end);
        var started = Earlier(attempt.StartedAt ?? collecting, collecting);
        foreach (var (kind, a, b) in (IEnumerable<(LifeKind, DateTimeOffset, DateTimeOffset)>)[(LifeKind.Starting, attempt.CreatedAt, started), .. Stretches(attempt, started, collecting), (LifeKind.Collecting, collecting, end)])
        {
            if (b > a)
            {
                yield return axis.Segment(kind, a, b, seesMoney ? Cost(attempt, kind, a, b) : null);
            }
        }
    }

    // The same intervals as the meter: disk from the contract's begin, GPU from its first running, each at its frozen rate.
    private static Money Cost(AttemptLife attempt, LifeKind kind, DateTimeOffset from, DateTimeOffset to) =>
        Overlap(attempt.DiskRate, attempt.BilledFrom, from, to) + (kind is LifeKind.Kept or LifeKind.Parked ? Money.Zero : Overlap(attempt.GpuRate, attempt.GpuFrom, from, to));

    private static IEnumerable<(LifeKind, DateTimeOffset, DateTimeOffset)> Stretches(AttemptLife attempt, DateTimeOffset from, DateTimeOffset to)
    {
        foreach (var pause in attempt.Pauses.Where(p => p.From < to))
        {
            var (away, back) = (pause.From > from ? pause.From : from, Earlier(pause.To ?? to, to));
            yield return (LifeKind.Running, from, away);
            yield return (pause.Parked ? LifeKind.Parked : LifeKind.Kept, away, back);
            from = back;
        }

        yield return (LifeKind.Running, from, to);
    }

    private static Money Overlap(HourlyRate rate, DateTimeOffset? since, DateTimeOffset from, DateTimeOffset to)
    {
        var start = since is { } at && at > from ? at : from;
        return since is null || start >= to ? Money.Zero : rate.For(to - start);
    }

    private static List<LifeTick> Marks(Axis axis, DateTimeOffset? now, IReadOnlyList<AttemptLife> attempts)
    {
        var wanted = new List<LifeTick>();
        void Add(LifeTickKind kind, DateTimeOffset at)
        {
            var tick = new LifeTick(kind, at, axis.At(at));
            if (wanted.TrueForAll(other => Math.Abs(other.Left - tick.Left) >= HalfWidth(other.Kind) + HalfWidth(kind)))
            {
                wanted.Add(tick);
            }
        }

        // The important ones first: they keep their place, the others go where there is room.
        if (now is { } instant)
        {
            Add(LifeTickKind.Now, instant);
        }

        Add(now is null ? LifeTickKind.Time : LifeTickKind.Expected, axis.To);
        Add(LifeTickKind.Time, axis.From);
        foreach (var attempt in attempts.OrderByDescending(a => a.Number))
        {
            Add(LifeTickKind.Time, attempt.CreatedAt);
        }

        Add(LifeTickKind.Time, axis.From + ((axis.To - axis.From) / 2));
        return [.. wanted.OrderBy(t => t.Left)];
    }

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static DateTimeOffset Latest(DateTimeOffset first, IEnumerable<DateTimeOffset> others) => others.Aggregate(first, (a, b) => a > b ? a : b);

    private readonly record struct Axis(DateTimeOffset From, DateTimeOffset To)
    {
        public double At(DateTimeOffset instant) => Math.Clamp(100 * ((instant - From) / (To - From)), 0, 100);

        public LifeSegment Segment(LifeKind kind, DateTimeOffset from, DateTimeOffset to, Money? cost) => new(kind, from, to, At(from), At(to) - At(from), cost);
    }
}

public enum LifeTickKind
{
    Time,
    Now,

    /// <summary>The expected end.</summary>
    Expected,
}

public sealed record LifeTick(LifeTickKind Kind, DateTimeOffset At, double Left);
