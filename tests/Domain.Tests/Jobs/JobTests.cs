using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;

namespace Dashboard.Domain.Tests.Jobs;

public sealed class JobTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void An_illegal_move_is_refused_out_loud()
    {
        var job = NewJob();
        var refusal = Assert.Throws<InvalidOperationException>(() => job.MoveTo(JobStatus.Running, Noon));
        Assert.Contains("Submitted", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(JobStatus.Submitted, job.Status);
    }

    [Fact]
    public void A_job_has_started_when_its_program_first_ran_and_a_second_attempt_does_not_change_that()
    {
        var job = NewJob();
        Walk(job, Noon, JobStatus.Provisioning, JobStatus.Starting, JobStatus.Running, JobStatus.Terminating);
        Walk(job, Noon.AddHours(1), JobStatus.Provisioning, JobStatus.Starting, JobStatus.Running);
        Assert.Equal(Noon, job.StartedAt);
    }

    [Fact]
    public void A_job_has_ended_with_its_final_status_and_not_before()
    {
        var job = NewJob();
        Walk(job, Noon, JobStatus.Provisioning, JobStatus.Starting, JobStatus.Running, JobStatus.Collecting, JobStatus.Terminating);
        Assert.Null(job.EndedAt);
        job.MoveTo(JobStatus.Succeeded, Noon.AddMinutes(3));
        Assert.Equal(Noon.AddMinutes(3), job.EndedAt);
    }

    private static void Walk(Job job, DateTimeOffset now, params JobStatus[] way)
    {
        foreach (var status in way)
        {
            job.MoveTo(status, now);
        }
    }

    private static Job NewJob() => new()
    {
        Id = new JobId(Guid.NewGuid()),
        TeamId = new TeamId(Guid.NewGuid()),
        Number = 1,
        ProjectId = new ProjectId(Guid.NewGuid()),
        CreatedBy = new UserId(Guid.NewGuid()),
        Name = "support-bot",
        Tags = [],
        Spec = new TrainingSpec { Preset = Presets.Smoke },
        ConnectionId = new ConnectionId(Guid.NewGuid()),
        Needs = new MachineNeeds([]),
        Limits = new JobLimits(null, null, null),
        Estimate = new CostEstimate(Money.Zero, Money.Zero, Money.Zero, TimeSpan.FromMinutes(2)),
        CreatedAt = Noon,
    };
}
