using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Logs;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>What the newest metrics say of a run. Only what is new is read: what was known stays on the attempt.</summary>
internal static class RunProgressReader
{
    /// <param name="recent">The run's last steps, across looks: a slow run logs less than one a look.</param>
    public static RunProgress Read(ReadOnlySpan<byte> newLines, int attempt, RecentSteps recent)
    {
        (int? Step, int? Total, double? Loss, double? EvalLoss, int? Checkpoint, long? Tokens) latest = default;
        var signs = new List<RunSign>();
        MetricPoint? downloading = null;
        double? download = null;
        while (newLines.IndexOf((byte)'\n') is var end and >= 0)
        {
            var point = MetricPoint.Parse(newLines[..end], attempt);
            newLines = newLines[(end + 1)..];
            if (point is not null)
            {
                signs.Add(SignOf(point));
            }

            switch (point?.Kind)
            {
                case MetricKind.Start or MetricKind.Train:
                    latest.Total = (int?)point["total_steps"] ?? latest.Total;
                    latest.Step = (int?)point.Step ?? latest.Step;
                    latest.Loss = point.Loss ?? latest.Loss;
                    latest.Tokens = point["tokens"] is >= 0 and < 1e18 and var tokens ? (long)tokens : latest.Tokens;
                    recent.Note(point);
                    break;
                case MetricKind.Eval:
                    latest.EvalLoss = point.Loss ?? latest.EvalLoss;
                    break;
                case MetricKind.Phase when point["done_bytes"] is not null:
                    download = downloading is null ? download : Mbps(downloading, point) ?? download;
                    downloading ??= point;
                    break;
                case MetricKind.Checkpoint:
                    latest.Checkpoint = (int?)point.Step ?? latest.Checkpoint;
                    break;
                default:
                    break;
            }
        }

        return new RunProgress(latest.Step, latest.Total, latest.Loss, latest.EvalLoss, recent.Median) { Checkpoint = latest.Checkpoint, Tokens = latest.Tokens, DownloadMbps = download, Signs = signs };
    }

    private static RunSign SignOf(MetricPoint point) => point.Kind switch
    {
        MetricKind.Train => new RunSign((int?)point.Step, Training: true, point.Loss, NotFinite: point.NotFinite, Clock: point.Unix > 0 ? point.Unix : null),
        MetricKind.Eval => new RunSign((int?)point.Step, Training: false, EvaluationSeconds: point["eval_s"] ?? 0),
        MetricKind.Phase => new RunSign(null, Training: false, Phase: point.Phase),
        MetricKind.Start or MetricKind.Checkpoint or MetricKind.End => new RunSign((int?)point.Step, Training: false),
    };

    /// <summary>Between two reports of one download; short or small ones say nothing.</summary>
    private static double? Mbps(MetricPoint a, MetricPoint b)
    {
        const double least = 1_000_000;
        return b.Unix - a.Unix is >= 1 and var seconds && b["done_bytes"] - a["done_bytes"] is >= least and var bytes ? bytes * 8 / seconds / 1e6 : null;
    }
}

/// <summary>How long the last steps of a run took, without evaluation.</summary>
internal sealed class RecentSteps
{
    private const int Kept = 15;

    private readonly Queue<double> _seconds = new();
    private MetricPoint? _last;

    /// <summary>Seconds a step; null before the second one.</summary>
    public double? Median => _seconds.Count == 0 ? null : _seconds.Order().ElementAt(_seconds.Count / 2);

    /// <summary>A start or a logged step, in order.</summary>
    public void Note(MetricPoint point)
    {
        if (point.Kind == MetricKind.Train && _last is not null && Pace(_last, point) is { } pace)
        {
            _seconds.Enqueue(pace);
            if (_seconds.Count > Kept)
            {
                _seconds.Dequeue();
            }
        }

        _last = point.Kind == MetricKind.Train ? point : null;
    }

    private static double? Pace(MetricPoint a, MetricPoint b) =>
        b.Step > a.Step && b["elapsed_s"] - a["elapsed_s"] is > 0 and var seconds ? seconds / (b.Step - a.Step) : null;
}
