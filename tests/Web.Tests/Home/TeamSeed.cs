using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;

namespace Dashboard.Web.Tests;

/// <summary>Puts a team's rows into a database: defaults for all that a test does not speak of.</summary>
internal sealed class TeamSeed(AppDbContext db, Team team, Guid person, DateTimeOffset now)
{
    public static readonly Market Sandbox = new(Provider.VastAi, "http://localhost:5081", Simulated: true);
    public static readonly Market VastAi = new(Provider.VastAi, "https://vast.example", Simulated: false);

    private Project _project = new() { Id = new ProjectId(Guid.NewGuid()), TeamId = team.Id, Name = "support-bot", CreatedAt = now };
    private bool _hasProject;
    private int _number = 200;

    public Connection Connection(Market market, string? name = null, Money? credit = null, DateTimeOffset? listedAt = null, ConnectionStatus status = ConnectionStatus.Works, int foreign = 0, decimal foreignUsd = 0)
    {
        var connection = new Connection
        {
            Id = new ConnectionId(Guid.NewGuid()), TeamId = team.Id, Market = market, Name = name ?? market.Name, ProtectedKey = "x", KeyEnding = "41ab", AccountId = "7", AccountName = "halden",
            Status = status, Credit = credit, CheckedAt = now - TimeSpan.FromSeconds(40), ListedAt = listedAt ?? now - TimeSpan.FromSeconds(12), ForeignCount = foreign, ForeignRate = HourlyRate.FromUsd(foreignUsd), CreatedAt = now - TimeSpan.FromDays(40),
        };
        db.Add(connection);
        return connection;
    }

    public Project Project(string name)
    {
        var project = new Project { Id = new ProjectId(Guid.NewGuid()), TeamId = team.Id, Name = name, CreatedAt = now };
        db.Add(project);
        return project;
    }

    public Job Job(Connection connection, string name, JobStatus status, TimeSpan? ago = null, Project? project = null, decimal? estimateUsd = null, StopReason? reason = null, string[]? tags = null, string preset = Presets.Smoke, string model = "smoke", int skip = 0, EstimatedTimes? times = null)
    {
        if (!_hasProject)
        {
            _project = db.Projects.FirstOrDefault(p => p.TeamId == team.Id && p.Name == _project.Name) ?? db.Add(_project).Entity;
            _hasProject = true;
        }

        var created = now - (ago ?? TimeSpan.FromHours(2));
        var job = new Job
        {
            Id = new JobId(Guid.NewGuid()), TeamId = team.Id, Number = ++_number + skip, ProjectId = (project ?? _project).Id, CreatedBy = new UserId(person), Name = name, Tags = tags ?? [],
            Spec = new TrainingSpec { Preset = preset, Model = new ModelSpec(model) }, ConnectionId = connection.Id, Needs = new MachineNeeds([]), Limits = new JobLimits(null, null, null),
            Estimate = estimateUsd is { } usd ? new CostEstimate(Money.FromUsd(usd * .9m), Money.FromUsd(usd), Money.FromUsd(usd * 1.1m), TimeSpan.FromHours(6)) { Times = times } : null,
            CreatedAt = created, StopReason = reason,
        };
        foreach (var step in PathTo(status))
        {
            job.MoveTo(step, step == status && JobRules.IsFinal(step) ? created + TimeSpan.FromMinutes(97) : created + TimeSpan.FromMinutes(4));
        }

        db.Add(job);
        return job;
    }

    public Attempt Attempt(Job job, int? step = null, int? total = null, double? loss = null, double? pace = null, string? phase = null)
    {
        var attempt = new Attempt { Id = new AttemptId(Guid.NewGuid()), TeamId = team.Id, JobId = job.Id, Number = 1, CreatedAt = job.CreatedAt, Step = step, TotalSteps = total, Loss = loss, SecondsPerStep = pace, Phase = phase };
        db.Add(attempt);
        return attempt;
    }

    public Instance Instance(Job job, Attempt attempt, InstanceStatus status, decimal gpuUsd = 0.4m, decimal diskUsd = 0.012m, string gpu = "RTX 4090", int vramMb = 24_564, string? location = "Norway", string? contract = "18244", RentalType rental = RentalType.OnDemand, string? message = null, string machine = "31415")
    {
        var instance = new Instance
        {
            Id = new InstanceId(Guid.NewGuid()), TeamId = team.Id, JobId = job.Id, AttemptId = attempt.Id, AttemptNumber = attempt.Number, ConnectionId = job.ConnectionId,
            Label = Guid.NewGuid().ToString("N"), OfferId = "9001", MachineId = machine, GpuName = gpu, GpuCount = 1, VramMb = vramMb, Location = location, Rental = rental, DiskGb = 60, ContractId = contract,
            SshPublicKey = "ssh-ed25519 AAAA", QuotedGpuRate = HourlyRate.FromUsd(gpuUsd), QuotedDiskRate = HourlyRate.FromUsd(diskUsd), CeilingRate = HourlyRate.FromUsd(gpuUsd * 2),
            GpuRate = HourlyRate.FromUsd(gpuUsd), DiskRate = HourlyRate.FromUsd(diskUsd), DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, CreatedAt = job.CreatedAt, SentAt = job.CreatedAt, BootLimit = TimeSpan.FromMinutes(10),
            BillingSince = job.CreatedAt + TimeSpan.FromSeconds(3), ObservedAt = now - TimeSpan.FromSeconds(12), ObservedMessage = message,
        };
        foreach (var step in PathTo(status))
        {
            instance.MoveTo(step, now);
        }

        if (status is InstanceStatus.Ready or InstanceStatus.Running or InstanceStatus.Draining or InstanceStatus.Destroying)
        {
            instance.RunningSince = job.CreatedAt + TimeSpan.FromMinutes(2);
        }

        db.Add(instance);
        return instance;
    }

    public void Charge(Job job, Attempt attempt, Instance instance, Market market, decimal usd, DateTimeOffset at, ChargeKind kind = ChargeKind.Gpu, bool estimated = false) => db.Add(new LedgerEntry
    {
        TeamId = team.Id, Market = market, ConnectionId = job.ConnectionId, InstanceId = instance.Id, JobId = job.Id, AttemptId = attempt.Id, ProjectId = job.ProjectId, PersonId = job.CreatedBy, Tags = job.Tags,
        GpuName = instance.GpuName, Kind = kind, PeriodStart = at, PeriodEnd = at + TimeSpan.FromMinutes(1), Rate = instance.GpuRate, Quantity = 60, Amount = Money.FromUsd(usd), Estimated = estimated, PostedAt = at + TimeSpan.FromMinutes(1),
    });

    public void Add(object row) => db.Add(row);

    public void Artifact(Job job, string path = "adapter/adapter_model.safetensors") =>
        db.Add(new Artifact { TeamId = team.Id, JobId = job.Id, AttemptNumber = 1, Path = path, Bytes = 84_000_000, Sha256 = new string('a', 64), Verified = true, ArrivedAt = now });

    public void Inbox(string kind, string title, string detail, string? link = null, string? action = null, TimeSpan? ago = null, decimal atRiskUsd = 0, bool critical = false) =>
        db.Add(new InboxItem { TeamId = team.Id, Kind = kind, Key = Guid.NewGuid().ToString("N"), Title = title, Detail = detail, Link = link, Action = action, Since = now - (ago ?? TimeSpan.FromMinutes(12)), At = now - (ago ?? TimeSpan.FromMinutes(12)), AtRisk = HourlyRate.FromUsd(atRiskUsd), Critical = critical, Needs = InboxKinds.Needs(kind) });

    private static JobStatus[] PathTo(JobStatus status) => status switch
    {
        JobStatus.Submitted => [],
        JobStatus.AwaitingApproval or JobStatus.WaitingForPrice or JobStatus.Provisioning => [status],
        JobStatus.Starting => [JobStatus.Provisioning, status],
        JobStatus.Running or JobStatus.Collecting or JobStatus.Terminating => [JobStatus.Provisioning, JobStatus.Starting, .. status == JobStatus.Terminating ? [JobStatus.Running, status] : status == JobStatus.Collecting ? [JobStatus.Running, status] : new[] { status }],
        JobStatus.Paused or JobStatus.Succeeded or JobStatus.Failed or JobStatus.Cancelled => [JobStatus.Provisioning, JobStatus.Starting, JobStatus.Running, JobStatus.Terminating, status],
    };

    private static InstanceStatus[] PathTo(InstanceStatus status) => status switch
    {
        InstanceStatus.Intent => [],
        InstanceStatus.Sent => [status],
        InstanceStatus.Unknown or InstanceStatus.Booting or InstanceStatus.Rejected => [InstanceStatus.Sent, status],
        InstanceStatus.Ready => [InstanceStatus.Sent, InstanceStatus.Booting, status],
        InstanceStatus.Running => [InstanceStatus.Sent, InstanceStatus.Booting, InstanceStatus.Ready, status],
        InstanceStatus.Interrupted or InstanceStatus.Parked => [InstanceStatus.Sent, InstanceStatus.Booting, InstanceStatus.Ready, InstanceStatus.Running, status],
        InstanceStatus.Draining => [InstanceStatus.Sent, InstanceStatus.Booting, InstanceStatus.Ready, InstanceStatus.Running, status],
        InstanceStatus.Destroying => [InstanceStatus.Sent, InstanceStatus.Booting, InstanceStatus.Ready, InstanceStatus.Running, status],
        InstanceStatus.Gone => [InstanceStatus.Sent, InstanceStatus.Booting, InstanceStatus.Ready, InstanceStatus.Running, InstanceStatus.Destroying, status],
    };
}
