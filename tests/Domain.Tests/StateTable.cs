namespace Dashboard.Domain.Tests;

/// <summary>Questions about a table of allowed moves, asked of every pair of statuses.</summary>
internal sealed class StateTable<T>(Func<T, T, bool> mayMove)
    where T : struct, Enum
{
    public static IEnumerable<T> All => Enum.GetValues<T>();

    /// <summary>Every allowed move, as <c>From → To</c>.</summary>
    public IEnumerable<string> Moves => from source in All from target in All where mayMove(source, target) select $"{source} → {target}";

    public IReadOnlySet<T> ReachableFrom(T start)
    {
        var seen = new HashSet<T> { start };
        var open = new Queue<T>(seen);
        while (open.TryDequeue(out var here))
        {
            foreach (var next in All.Where(target => mayMove(here, target) && seen.Add(target)))
            {
                open.Enqueue(next);
            }
        }

        return seen;
    }
}
