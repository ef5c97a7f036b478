using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Web.Features.Jobs;

namespace Dashboard.Web.Tests.Jobs;

/// <summary>Jobs as the page sees them; a test says only what matters to it.</summary>
internal static class Views
{
    public static readonly DateTimeOffset Now = new(2026, 11, 23, 18, 4, 12, TimeSpan.Zero);

    public static JobView Running() => new()
    {
        Id = new JobId(Guid.NewGuid()),
        Number = 214,
        Name = "support-bot-v7",
        Project = "support-bot",
        Tags = ["r16"],
        Status = JobStatus.Running,
        StopReason = null,
        Message = null,
        Cancel = null,
        StartedBy = "Jonas Vik",
        CreatedAt = Now.AddHours(-4),
        StartedAt = Now.AddHours(-4),
        EndedAt = null,
        Spec = new TrainingSpec { Preset = Presets.Smoke },
        Needs = new MachineNeeds([]),
        Limits = new JobLimits(Money.FromUsd(4.50m), null, null),
        Estimate = new CostEstimate(Money.FromUsd(2.70m), Money.FromUsd(2.90m), Money.FromUsd(3.20m), TimeSpan.FromHours(7)),
        ConnectionId = default,
        ProjectId = default,
        MarketName = "Vast.ai",
        MarketAddress = "https://console.vast.ai",
        Simulated = false,
        Attempts = [new Attempt { Id = new AttemptId(Guid.NewGuid()), TeamId = default, JobId = default, Number = 1, CreatedAt = Now.AddHours(-4), StartedAt = Now.AddHours(-4), Step = 1_820, TotalSteps = 2_700, SecondsPerStep = 9, Loss = 0.842 }],
        Machines = [Machine()],
        Meter = new JobMeter([new PostedCharge(1, ChargeKind.Gpu, Money.FromUsd(1.94m), 14_400)], []),
        FileCount = 2,
        EventCount = 5,
        CheckpointAtHome = 1_800,
        AsOf = Now,
    };

    public static MachineView Machine() => new()
    {
        Id = new InstanceId(Guid.NewGuid()),
        AttemptNumber = 1,
        Status = InstanceStatus.Running,
        GpuName = "RTX 4090",
        GpuCount = 1,
        VramMb = 24_564,
        Location = "Norway",
        Rental = RentalType.OnDemand,
        MachineId = "18244",
        ContractId = "9001",
        DiskGb = 60,
        GpuRate = HourlyRate.FromUsd(0.40m),
        DiskRate = HourlyRate.Zero,
        HostKeys = "direct=SHA256:u8QeAbcdefghijk",
        HostKeyCrossChecked = true,
        CreatedAt = Now.AddHours(-4),
        BillingSince = Now.AddHours(-4),
        RunningSince = Now.AddHours(-4),
        SeenRunningAt = Now.AddHours(-4),
        DestroyAcceptedAt = null,
        AbsentSince = null,
        GoneAt = null,
        DestroyAsks = 0,
        Observed = ObservedStatus.Running,
        ObservedMessage = null,
        ObservedAt = Now,
        ContractEnd = null,
        EndReason = null,
        GpuPosted = Money.Zero,
        DiskPosted = Money.Zero,
    };
}
