using System.Data.Common;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Costs;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Live;
using Dashboard.Infrastructure.Persistence;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Infrastructure.Tests.Costs;

/// <summary>The real step on a real database file; the bill is fed in, and the clock is ours.</summary>
internal sealed class BillHost : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("bill-").FullName;
    private readonly ServiceProvider _services;
    private int _jobs;

    private BillHost(DateTimeOffset now)
    {
        Time = new FakeTimeProvider(now);
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton(new DataDirectory(_data));
        services.AddSingleton<IDataProtectionProvider>(new EphemeralDataProtectionProvider());
        services.AddPersistence($"Data Source={Path.Combine(_data, "dashboard.db")};Pooling=False");
        services.AddSingleton(Crash);
        services.ConfigureDbContext<AppDbContext>(options => options.AddInterceptors(Crash));
        services.AddSingleton<InstanceLabels>();
        services.AddSingleton<ChangeFeed>();
        services.AddSingleton<IMarketplaces>(Bill);
        services.AddOptions<ReconciliationOptions>();
        services.AddSingleton<ReconcileBill>();
        _services = services.BuildServiceProvider();
    }

    public FakeTimeProvider Time { get; }

    public FedBill Bill { get; } = new();

    public Crashes Crash { get; } = new();

    public Team Team { get; private set; } = null!;

    public Connection Connection { get; private set; } = null!;

    public AppDatabase Database => _services.GetRequiredService<AppDatabase>();

    public ReconcileBill Step => _services.GetRequiredService<ReconcileBill>();

    public InstanceLabels Labels => _services.GetRequiredService<InstanceLabels>();

    public static async Task<BillHost> StartAsync(string now)
    {
        var host = new BillHost(At(now));
        await MigratedDatabase.CopyToAsync(Path.Combine(host._data, "dashboard.db"));
        await host._services.GetRequiredService<InstallationIdentity>().OpenAsync(default);
        await host.SeedAsync();
        return host;
    }

    public static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>What the next start of the server does.</summary>
    public Task RestartAsync() => _services.GetRequiredService<DatabaseStart>().RunAsync(default);

    public Task<bool> ReadAsync() => Step.RunAsync(Connection.Id, default);

    /// <summary>A machine at $0.40 an hour and $0.012 an hour of disk, metered by the minute.</summary>
    /// <param name="until">Null: it lives.</param>
    public async Task<Instance> MachineAsync(string contract, string from, string? until, string? meteredUntil = null)
    {
        var (begin, end) = (At(from), At(until ?? meteredUntil!));
        await using var db = await Database.ForSystemAsync(default);
        var project = await db.Projects.SingleAsync();
        var job = new Job
        {
            Id = new JobId(Guid.NewGuid()), TeamId = Team.Id, Number = ++_jobs, ProjectId = project.Id, CreatedBy = new UserId(Guid.NewGuid()), Name = "test", Tags = ["a", "b"],
            Spec = new TrainingSpec { Preset = Presets.Command, Backend = "command", Command = new CommandSpec("true", []) }, ConnectionId = Connection.Id, Needs = new MachineNeeds([]),
            Limits = new JobLimits(null, null, null), Estimate = null, CreatedAt = begin,
        };
        var attempt = new Attempt { Id = new AttemptId(Guid.NewGuid()), TeamId = Team.Id, JobId = job.Id, Number = 1, CreatedAt = begin };
        var id = new InstanceId(Guid.NewGuid());
        var machine = new Instance
        {
            Id = id, TeamId = Team.Id, JobId = job.Id, AttemptId = attempt.Id, AttemptNumber = 1, ConnectionId = Connection.Id, Label = Labels.For(id), OfferId = "1", MachineId = "2", GpuName = "RTX 4090",
            GpuCount = 1, VramMb = 24_564, Rental = RentalType.OnDemand, DiskGb = 60, SshPublicKey = "ssh-ed25519 AAAA", QuotedGpuRate = HourlyRate.FromUsd(0.4m), QuotedDiskRate = HourlyRate.FromUsd(0.012m),
            CeilingRate = HourlyRate.FromUsd(1), GpuRate = HourlyRate.FromUsd(0.4m), DiskRate = HourlyRate.FromUsd(0.012m), DownloadPerGb = Money.Zero, UploadPerGb = Money.Zero, CreatedAt = begin, SentAt = begin,
            BillingSince = begin, RunningSince = begin, BootLimit = TimeSpan.FromMinutes(10), ContractId = contract,
        };
        foreach (var status in (InstanceStatus[])[InstanceStatus.Sent, InstanceStatus.Booting, InstanceStatus.Ready, InstanceStatus.Running, .. until is null ? [] : new[] { InstanceStatus.Destroying, InstanceStatus.Gone }])
        {
            machine.MoveTo(status, end);
        }

        machine.DestroyAcceptedAt = until is null ? null : end;
        db.AddRange(job, attempt, machine);
        var change = new InstanceChange(db, new InstanceSnapshot(machine, job, attempt, Connection), end);
        for (var at = begin; at < end; at += TimeSpan.FromMinutes(1))
        {
            var to = at + TimeSpan.FromMinutes(1) < end ? at + TimeSpan.FromMinutes(1) : end;
            MeterUsage.Gpu(change, to);
            MeterUsage.Disk(change, to);
        }

        await db.SaveChangesAsync();
        return machine;
    }

    public async Task<IReadOnlyList<LedgerEntry>> LedgerAsync()
    {
        await using var db = await Database.ForSystemAsync(default);
        return await db.Ledger.AsNoTracking().OrderBy(e => e.Id).ToListAsync();
    }

    public async Task<IReadOnlyList<LedgerEntry>> CorrectionsAsync() => [.. (await LedgerAsync()).Where(e => e.Kind == ChargeKind.Adjustment)];

    public async Task<IReadOnlyList<BillLine>> LinesAsync()
    {
        await using var db = await Database.ForSystemAsync(default);
        return await db.BillLines.AsNoTracking().OrderBy(l => l.Id).ToListAsync();
    }

    public async Task<BillReading> ReadingAsync()
    {
        await using var db = await Database.ForSystemAsync(default);
        return await db.BillReadings.AsNoTracking().SingleAsync();
    }

    public async Task<Money> TotalAsync(string month)
    {
        var (all, of) = (await LedgerAsync(), BillMonth.Of(At(month)));
        return all.Where(e => of.Includes(e.PeriodStart)).Aggregate(Money.Zero, (sum, e) => sum + e.Amount);
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    /// <summary>The migrated tables, made once and copied into every test's own file.</summary>
    private async Task SeedAsync()
    {
        var team = new TeamId(Guid.NewGuid());
        Team = new Team { Id = team, Name = "Halden Lab", Slug = "halden-lab", CreatedAt = Time.GetUtcNow() };
        Connection = new Connection
        {
            Id = new ConnectionId(Guid.NewGuid()), TeamId = team, Market = new Market(Provider.VastAi, "https://example.org", false), Name = "Vast.ai", ProtectedKey = "-", KeyEnding = "41ab",
            AccountId = "1", AccountName = "halden", Status = ConnectionStatus.Works, CreatedAt = Time.GetUtcNow(),
        };
        await using var db = await Database.ForSystemAsync(default);
        db.AddRange(Team, Connection, new Project { Id = new ProjectId(Guid.NewGuid()), TeamId = team, Name = "general", CreatedAt = Time.GetUtcNow() });
        await db.SaveChangesAsync();
    }
}

/// <summary>What the provider would answer when asked for charges.</summary>
internal sealed class FedBill : IMarketplaces, IMarketplace
{
    public List<ProviderCharge> Charges { get; } = [];

    public MarketplaceException? Fault { get; set; }

    public int Calls { get; private set; }

    public Task<OfferPage> SearchPageAsync(OfferQuery query, CancellationToken ct) => throw new NotSupportedException();

    public long RowsSearched => 0;

    public Task<IReadOnlyList<ProviderPrice>> GetPriceHistoryAsync(string gpuName, bool verifiedOnly, DateTimeOffset from, DateTimeOffset to, TimeSpan step, CancellationToken ct) => throw new NotSupportedException();

    public IMarketplace For(Connection connection) => this;

    public IMarketplace For(Market market, Domain.Marketplaces.Secret key) => this;

    /// <summary>Cut to the days asked for as providers do it: by the share of time, rounded to a tenth of a cent.</summary>
    public Task<IReadOnlyList<ProviderCharge>> GetChargesAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken ct)
    {
        Calls++;
        var end = new DateTimeOffset(to.UtcDateTime.Date, TimeSpan.Zero).AddDays(1);
        return Fault is not null ? throw Fault : Task.FromResult<IReadOnlyList<ProviderCharge>>([.. Charges.Where(c => c.From < end && c.To > from).Select(c =>
        {
            var (first, last) = (c.From > from ? c.From : from, c.To < end ? c.To : end);
            var share = (decimal)(last - first).Ticks / Math.Max(1, (c.To - c.From).Ticks);
            return c with { From = first, To = last, Amount = Money.FromUsd(Math.Round(c.Amount.Usd * share, 3, MidpointRounding.ToEven)) };
        })]);
    }

    public void Add(Instance machine, ChargeKind kind, decimal usd, string from, string to) =>
        Charges.Add(new ProviderCharge(machine.ContractId!, machine.Label, kind, Money.FromUsd(usd), BillHost.At(from), BillHost.At(to)));

    public Task<ProviderAccount> GetAccountAsync(CancellationToken ct) => throw new NotSupportedException();

    public Task<KeyProbe> ProbeRightsAsync(CancellationToken ct) => throw new NotSupportedException();

    public Task<IReadOnlyList<Offer>> SearchAsync(OfferQuery query, CancellationToken ct) => throw new NotSupportedException();

    public Task<RentResult> RentAsync(Offer offer, LaunchSpec spec, CancellationToken ct) => throw new NotSupportedException();

    public Task<InstanceListing> ListAsync(CancellationToken ct) => throw new NotSupportedException();

    public Task<InstanceListing> FindByLabelAsync(string label, CancellationToken ct) => throw new NotSupportedException();

    public Task<ObservedInstance?> GetAsync(string contractId, CancellationToken ct) => throw new NotSupportedException();

    public Task AttachSshKeyAsync(string contractId, string publicKey, CancellationToken ct) => throw new NotSupportedException();

    public Task<string?> ReadContainerLogAsync(string contractId, int lines, CancellationToken ct) => throw new NotSupportedException();

    public Task DestroyAsync(string contractId, CancellationToken ct) => throw new NotSupportedException("A reconciliation never destroys.");

    public Task StopAsync(string contractId, CancellationToken ct) => throw new NotSupportedException();

    public Task<bool> StartAsync(string contractId, CancellationToken ct) => throw new NotSupportedException();

    public Task ChangeBidAsync(string contractId, HourlyRate bid, CancellationToken ct) => throw new NotSupportedException();
}

/// <summary>Cuts the server off around a commit.</summary>
internal sealed class Crashes : DbTransactionInterceptor
{
    public bool BeforeCommit { get; set; }

    public bool AfterCommit { get; set; }

    public override ValueTask<InterceptionResult> TransactionCommittingAsync(DbTransaction transaction, TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default) =>
        BeforeCommit ? throw new InvalidOperationException("crash") : ValueTask.FromResult(result);

    public override Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default) =>
        AfterCommit ? throw new InvalidOperationException("crash") : Task.CompletedTask;
}
