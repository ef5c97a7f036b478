using Dashboard.Domain;

namespace Dashboard.Web.Features.Jobs;

/// <param name="Loss">Null where it was not finite: a gap in the line.</param>
public sealed record LossPoint(int Step, double? Loss);

/// <summary>The loss of a job over its steps, all attempts: a repeated step shows its last run. Reduced to what a chart can show.</summary>
/// <param name="Checkpoints">Steps at which one was written.</param>
public sealed record LossHistory(IReadOnlyList<LossPoint> Train, IReadOnlyList<LossPoint> Eval, IReadOnlyList<int> Checkpoints);

/// <summary>Reads <see cref="LossHistory"/> from the metrics that came home.</summary>
public interface ILossHistory
{
    Task<LossHistory> ReadAsync(JobId job, CancellationToken ct);
}
