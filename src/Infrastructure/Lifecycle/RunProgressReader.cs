using Dashboard.Domain.Jobs;
using Dashboard.Infrastructure.Logs;

namespace Dashboard.Infrastructure.Lifecycle;

/// <summary>What the newest metrics say of a run. Only what is new is read: what was known stays on the attempt.</summary>
internal static class RunProgressReader
{
    public static RunProgress Read(ReadOnlySpan<byte> newLines, int attempt)
    {
        (int? Step, int? Total, double? Loss, double? EvalLoss, int? Checkpoint) latest = default;
        var signs = new List<RunSign>();
        var paces = new List<double>();
        MetricPoint? downloading = null;
        double? download = null;
        MetricPoint? before = null;
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
                    if (point.Kind == MetricKind.Train && before is not null && Pace(before, point) is { } pace)
                    {
                        paces.Add(pace);
                    }

                    before = point.Kind == MetricKind.Train ? point : null;
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

        paces.Sort();
        return new RunProgress(latest.Step, latest.Total, latest.Loss, latest.EvalLoss, paces.Count == 0 ? null : paces[paces.Count / 2]) { Checkpoint = latest.Checkpoint, DownloadMbps = download, Signs = signs };
    }

    private static RunSign SignOf(MetricPoint point) => point.Kind switch
    {
        MetricKind.Train => new RunSign((int?)point.Step, Training: true, point.Loss, NotFinite: point.NotFinite),
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

    /// <summary>Seconds a step between two points, without evaluation.</summary>
    private static double? Pace(MetricPoint a, MetricPoint b) =>
        b.Step > a.Step && b["elapsed_s"] - a["elapsed_s"] is > 0 and var seconds ? seconds / (b.Step - a.Step) : null;
}
