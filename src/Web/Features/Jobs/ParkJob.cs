using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <summary>What became of a wish about a job's machine.</summary>
/// <param name="Problem">Why it was not taken down, as a sentence; null: it was.</param>
/// <param name="Found">Whether the team has such a job.</param>
public sealed record ParkResult(string? Problem, bool Found = true);

/// <summary>
/// A person has a job's machine stopped and kept until a day, puts that day off, or has it started again. The wish is durable; the
/// reconciler carries it out.
/// </summary>
public sealed class ParkJob(AppDatabase database, LifecycleSignal signal, ChangeFeed changes, TimeProvider time)
{
    private const string Nothing = "It has no machine that could be kept.";

    /// <summary>Stops the machine and keeps it so long, or keeps one that is stopped so long from now.</summary>
    public Task<ParkResult> KeepAsync(TeamContext team, int number, TimeSpan time, CancellationToken ct)
    {
        team.Require(Permission.StopJobs);
        return time <= TimeSpan.Zero || time > Parking.Longest
            ? Task.FromResult(new ParkResult($"A stopped machine is kept for {Parking.Longest.TotalDays:0} days at most."))
            : ChangeAsync(team, number, (job, machine, now) =>
            {
                if (!MayPark(job.Status, machine.Status, job.Cancel))
                {
                    return (Nothing, null);
                }

                var until = now + time;
                Parking.Keep(job, machine, until);
                if (machine.Status != InstanceStatus.Parked)
                {
                    return (null, $"Asked to stop its machine and keep it until {until:yyyy-MM-dd HH:mm} UTC.");
                }

                job.Message = ParkWords.Of(until);
                return (null, $"Keeps its stopped machine until {until:yyyy-MM-dd HH:mm} UTC.");
            }, ct);
    }

    /// <summary>Starts the stopped machine again; its program goes on from the checkpoint on its disk. Spends money, so it asks for the right to start jobs.</summary>
    public Task<ParkResult> StartAsync(TeamContext team, int number, CancellationToken ct)
    {
        team.Require(Permission.StartJobs);
        return ChangeAsync(team, number, (job, machine, _) =>
        {
            if (machine.Status is not (InstanceStatus.Parked or InstanceStatus.Running) || job.ParkUntil is null || job.Cancel is not null)
            {
                return ("Its machine runs, or is given up already.", null);
            }

            Parking.StartAgain(job, machine);
            return (null, "Asked to start its machine again.");
        }, ct);
    }

    /// <summary>Whether its machine can be kept instead of destroyed.</summary>
    public static bool MayPark(JobStatus job, InstanceStatus? machine, CancelMode? cancel) => job == JobStatus.Running && machine is InstanceStatus.Running or InstanceStatus.Parked && cancel is null;

    private async Task<ParkResult> ChangeAsync(TeamContext team, int number, Func<Job, Instance, DateTimeOffset, (string? Refusal, string? Said)> change, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await using var db = await database.ForTeamAsync(team, ct);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var job = await db.Jobs.SingleOrDefaultAsync(j => j.TeamId == team.TeamId && j.Number == number, ct);
        if (job is null)
        {
            return new ParkResult("This job does not exist any more.", Found: false);
        }

        var machine = await db.Instances.SingleOrDefaultAsync(i => i.JobId == job.Id && i.AttemptNumber == job.AttemptCount && (i.Status == InstanceStatus.Running || i.Status == InstanceStatus.Parked), ct);
        if (machine is null)
        {
            return new ParkResult(Nothing);
        }

        var (refusal, said) = change(job, machine, now);
        if (refusal is not null)
        {
            return new ParkResult(refusal);
        }

        machine.NextStepAt = now;
        db.JobEvents.Add(new JobEvent { TeamId = job.TeamId, JobId = job.Id, InstanceId = machine.Id, AttemptNumber = machine.AttemptNumber, At = now, Kind = "keep", Text = said!, PersonId = team.UserId });
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None); // all is written: giving up now would only lose it
        signal.Wake();
        changes.Publish(team.TeamId, job.Id);
        return new ParkResult(null);
    }
}
