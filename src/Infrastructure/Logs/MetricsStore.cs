using System.Globalization;
using Dashboard.Domain;

namespace Dashboard.Infrastructure.Logs;

/// <param name="Step">Optimizer step, over all attempts.</param>
public readonly record struct LossPoint(long Step, double Loss);

/// <param name="Step">Optimizer step, over all attempts.</param>
public readonly record struct StepValue(long Step, double Value);

/// <summary>The losses of a job so far, by step.</summary>
public sealed record LossSeries(IReadOnlyList<LossPoint> Train, IReadOnlyList<LossPoint> Eval);

/// <summary>
/// The trainer's metrics, per job and attempt in <c>metrics/&lt;job&gt;/attempt-&lt;n&gt;.jsonl</c>, byte for byte as on the machine. A last line
/// without line end is not read: it is still being written. A start that goes on from a checkpoint undoes the steps after it: what was lost is no part of the run.
/// </summary>
public sealed class MetricsStore(DataDirectory data)
{
    private const string Prefix = "attempt-";

    /// <summary>How many bytes of an attempt's metrics are stored: the offset to go on from.</summary>
    public Task<long> LengthAsync(JobId job, int attempt, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return Task.FromResult(ByteFile.Length(PathOf(job, attempt)));
    }

    /// <summary>Stores bytes that begin at <paramref name="offset"/> of the machine's file. What is stored already is dropped. One writer per attempt.</summary>
    /// <exception cref="LogGap"><paramref name="offset"/> is past the end of what is stored.</exception>
    public Task AppendAsync(JobId job, int attempt, long offset, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        ByteFile.Extend(PathOf(job, attempt), offset, bytes.Span);
        return Task.CompletedTask;
    }

    /// <summary>Every point of every attempt, in the order written. Lines that are no metrics are left out.</summary>
    public async IAsyncEnumerable<MetricPoint> PointsAsync(JobId job, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var (attempt, path) in Attempts(job))
        {
            await foreach (var point in ReadAsync(path, attempt, ct))
            {
                yield return point;
            }
        }
    }

    /// <summary>The newest point of a kind, e.g. the last training step; null before there is one.</summary>
    public async Task<MetricPoint?> LatestAsync(JobId job, MetricKind kind, CancellationToken ct)
    {
        MetricPoint? latest = null;
        await foreach (var point in PointsAsync(job, ct))
        {
            latest = point.Kind == kind ? point : latest;
        }

        return latest;
    }

    /// <param name="maxPoints">For each of the two lines; longer ones are thinned by <see cref="Thin"/>.</param>
    public async Task<LossSeries> LossSeriesAsync(JobId job, int maxPoints, CancellationToken ct)
    {
        var (train, eval) = (new SortedDictionary<long, double>(), new SortedDictionary<long, double>());
        await foreach (var point in PointsAsync(job, ct)) // attempts ascending: a later one overwrites
        {
            if (point.Kind is MetricKind.Start)
            {
                Undo(train, point.ResumedFrom);
                Undo(eval, point.ResumedFrom);
            }
            else if (point is { Step: { } step, Loss: { } loss, Kind: MetricKind.Train or MetricKind.Eval })
            {
                (point.Kind is MetricKind.Train ? train : eval)[step] = loss;
            }
        }

        return new LossSeries(Thin(Line(train), maxPoints), Thin(Line(eval), maxPoints));

        static List<LossPoint> Line(SortedDictionary<long, double> byStep) => byStep.Select(point => new LossPoint(point.Key, point.Value)).ToList();
    }

    /// <summary>Numbers of the training steps by their names in the file, e.g. <c>learning_rate</c>. A name that no step reported has an empty line.</summary>
    /// <param name="maxPoints">For each line; longer ones are thinned as losses are.</param>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<StepValue>>> StepSeriesAsync(JobId job, IReadOnlyCollection<string> names, int maxPoints, CancellationToken ct)
    {
        var lines = names.ToDictionary(name => name, _ => new SortedDictionary<long, double>());
        await foreach (var point in PointsAsync(job, ct))
        {
            if (point.Kind is MetricKind.Start)
            {
                foreach (var line in lines.Values)
                {
                    Undo(line, point.ResumedFrom);
                }
            }

            if (point is not { Kind: MetricKind.Train, Step: { } step })
            {
                continue;
            }

            foreach (var (name, line) in lines)
            {
                if (point[name] is { } value)
                {
                    line[step] = value;
                }
            }
        }

        return lines.ToDictionary(l => l.Key, l => Thin([.. l.Value.Select(p => new StepValue(p.Key, p.Value))], p => p.Value, maxPoints));
    }

    /// <summary>Where attempts after the first went on, in order: the step, and which attempt.</summary>
    public async Task<IReadOnlyList<(int Attempt, long Step)>> ResumesAsync(JobId job, CancellationToken ct)
    {
        var resumes = new List<(int, long)>();
        await foreach (var point in PointsAsync(job, ct))
        {
            if (point is { Kind: MetricKind.Start, Attempt: > 1 })
            {
                resumes.Add((point.Attempt, point.ResumedFrom ?? 0));
            }
        }

        return resumes;
    }

    private static void Undo(SortedDictionary<long, double> line, long? resumedFrom)
    {
        foreach (var step in line.Keys.Where(step => step > (resumedFrom ?? 0)).ToList())
        {
            line.Remove(step);
        }
    }

    /// <summary>At most <paramref name="maxPoints"/> of a line, keeping the lowest and highest of every stretch and both ends, so that no spike is lost.</summary>
    internal static IReadOnlyList<LossPoint> Thin(IReadOnlyList<LossPoint> line, int maxPoints) => Thin(line, point => point.Loss, maxPoints);

    private static IReadOnlyList<T> Thin<T>(IReadOnlyList<T> line, Func<T, double> value, int maxPoints)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPoints, 4);
        if (line.Count <= maxPoints)
        {
            return line;
        }

        var buckets = (maxPoints - 2) / 2;
        var inner = line.Count - 2;
        var kept = new List<T> { line[0] };
        for (var bucket = 0; bucket < buckets; bucket++)
        {
            var (from, to) = (1 + (int)((long)inner * bucket / buckets), 1 + (int)((long)inner * (bucket + 1) / buckets));
            var (low, high) = (from, from);
            for (var at = from; at < to; at++)
            {
                low = value(line[at]) < value(line[low]) ? at : low;
                high = value(line[at]) > value(line[high]) ? at : high;
            }

            kept.Add(line[Math.Min(low, high)]);
            if (low != high)
            {
                kept.Add(line[Math.Max(low, high)]);
            }
        }

        kept.Add(line[^1]);
        return kept;
    }

    private string Folder(JobId job) => Path.Combine(data.Root, "metrics", job.ToString());

    private string PathOf(JobId job, int attempt) => Path.Combine(Folder(job), string.Create(CultureInfo.InvariantCulture, $"{Prefix}{attempt}.jsonl"));

    private List<(int Attempt, string Path)> Attempts(JobId job) =>
        Directory.Exists(Folder(job))
            ? Directory.EnumerateFiles(Folder(job), Prefix + "*.jsonl")
                .Select(path => (int.Parse(Path.GetFileNameWithoutExtension(path)[Prefix.Length..], CultureInfo.InvariantCulture), path))
                .OrderBy(file => file.Item1).ToList()
            : [];

    /// <summary>Lines longer than the buffer are skipped: no metric is 64 KiB long.</summary>
    private static async IAsyncEnumerable<MetricPoint> ReadAsync(string path, int attempt, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        var buffer = new byte[64 * 1024];
        var (held, tooLong) = (0, false);
        int read;
        while ((read = await file.ReadAsync(buffer.AsMemory(held), ct)) > 0)
        {
            var filled = held + read;
            var start = 0;
            for (int length; (length = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n')) >= 0; start += length + 1)
            {
                if (!tooLong && MetricPoint.Parse(buffer.AsSpan(start, length), attempt) is { } point)
                {
                    yield return point;
                }

                tooLong = false;
            }

            held = filled - start;
            buffer.AsSpan(start, held).CopyTo(buffer);
            if (held == buffer.Length)
            {
                (held, tooLong) = (0, true);
            }
        }
    }
}
