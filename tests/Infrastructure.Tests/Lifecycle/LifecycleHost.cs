using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Budgets;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Providers;
using Dashboard.Infrastructure.Scheduling;
using Dashboard.Infrastructure.Secrets;
using Dashboard.Infrastructure.Ssh;
using Dashboard.Tests.Shared;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>The real lifecycle against the real sandbox: one team with one connection, jobs put in as the use case would.</summary>
internal sealed class LifecycleHost : IAsyncDisposable
{
    private readonly SandboxProcess _sandbox;
    private readonly string _data;
    private readonly Action<IServiceCollection>? _more;
    private IHost _host;

    private LifecycleHost(SandboxProcess sandbox, string data, Action<IServiceCollection>? more, IHost host) => (_sandbox, _data, _more, _host) = (sandbox, data, more, host);

    public SandboxProcess Sandbox => _sandbox;

    public string Data => _data;

    public AppDatabase Database => _host.Services.GetRequiredService<AppDatabase>();

    public T Get<T>()
        where T : notnull => _host.Services.GetRequiredService<T>();

    public Team Team { get; private set; } = null!;

    public Connection Connection { get; private set; } = null!;

    /// <param name="key">What the team's connection has; null is the sandbox's own key.</param>
    /// <param name="more">Replaces services, such as the machines.</param>
    /// <param name="pace">Other waits than the product's.</param>
    /// <param name="data">Its data directory, emptied in the end; null makes one.</param>
    public static async Task<LifecycleHost> StartAsync(SandboxProcess sandbox, string? key = null, Action<IServiceCollection>? more = null, LifecycleOptions? pace = null, string? data = null)
    {
        data = data is null ? Directory.CreateTempSubdirectory("lifecycle-").FullName : Directory.CreateDirectory(data).FullName;
        await MigratedDatabase.CopyToAsync(Path.Combine(data, "dashboard.db"));
        if (pace is not null)
        {
            var asked = more;
            more = services =>
            {
                asked?.Invoke(services);
                services.AddSingleton(Microsoft.Extensions.Options.Options.Create(pace));
            };
        }

        var host = new LifecycleHost(sandbox, data, more, await OpenAsync(data, more));
        await host.SeedAsync(key ?? sandbox.ApiKey);
        return host;
    }

    /// <summary>The server ends and another one starts on the same data.</summary>
    public async Task RestartAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        _host = await OpenAsync(_data, _more);
    }

    public async Task<JobId> SubmitAsync(TrainingSpec spec, JobLimits? limits = null, string? offer = null, PriceOrder? order = null, ApprovalAsk? ask = null)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var db = await Database.ForSystemAsync(default);
        var team = await db.Teams.SingleAsync();
        var job = new Job
        {
            Id = new JobId(Guid.CreateVersion7(now)),
            TeamId = team.Id,
            Number = team.NextJobNumber++,
            ProjectId = (await db.Projects.SingleAsync()).Id,
            CreatedBy = new UserId(Guid.NewGuid()),
            Name = "test",
            Tags = ["a"],
            Spec = spec,
            ConnectionId = Connection.Id,
            OfferId = offer,
            Needs = new MachineNeeds([]),
            Limits = limits ?? new JobLimits(null, null, null),
            Order = order,
            Ask = ask,
            Estimate = null,
            CreatedAt = now,
            NextStepAt = now,
        };
        db.Jobs.Add(job);
        if (ask is not null)
        {
            job.MoveTo(JobStatus.AwaitingApproval, now);
            Approvals.Asked(db, job, now);
        }

        await db.SaveChangesAsync();
        Get<LifecycleSignal>().Wake();
        return job.Id;
    }

    public async Task CancelAsync(JobId id, CancelMode mode)
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var db = await Database.ForSystemAsync(default);
        await db.Jobs.Where(j => j.Id == id).ExecuteUpdateAsync(set => set.SetProperty(j => j.Cancel, mode).SetProperty(j => j.NextStepAt, now));
        await db.Instances.Where(i => i.JobId == id && i.NextStepAt != null).ExecuteUpdateAsync(set => set.SetProperty(i => i.NextStepAt, now));
        Get<LifecycleSignal>().Wake();
    }

    /// <summary>Other limits for a job that runs, as if it had been submitted with them.</summary>
    public async Task LimitAsync(JobId id, JobLimits limits)
    {
        await using var db = await Database.ForSystemAsync(default);
        var job = await db.Jobs.SingleAsync(j => j.Id == id);
        db.Entry(job).Property(j => j.Limits).CurrentValue = limits;
        await db.SaveChangesAsync();
        BudgetBook.OpenOwnLimit(db, job, Connection.Market.Simulated, TimeProvider.System.GetUtcNow());
        await db.Instances.Where(i => i.JobId == id).ExecuteUpdateAsync(set => set.SetProperty(i => i.RenewHoldAt, (DateTimeOffset?)null));
    }

    public async Task<Job> JobAsync(JobId id)
    {
        await using var db = await Database.ForSystemAsync(default);
        return await db.Jobs.AsNoTracking().SingleAsync(j => j.Id == id);
    }

    public async Task<IReadOnlyList<Instance>> InstancesAsync(JobId id)
    {
        await using var db = await Database.ForSystemAsync(default);
        return await db.Instances.AsNoTracking().Where(i => i.JobId == id).OrderBy(i => i.CreatedAt).ToListAsync();
    }

    public async Task<IReadOnlyList<LedgerEntry>> LedgerAsync(JobId id)
    {
        await using var db = await Database.ForSystemAsync(default);
        return await db.Ledger.AsNoTracking().Where(e => e.JobId == id).ToListAsync();
    }

    public async Task<Job> EndsAsync(JobId id, JobStatus status)
    {
        await Eventually.HoldsAsync(async () => JobRules.IsFinal((await JobAsync(id)).Status), "the job ends", TimeSpan.FromMinutes(3));
        var job = await JobAsync(id);
        Assert.True(job.Status == status, $"{job.Status}: {job.Message}");
        await NoAmountForEverybodyAsync(id);
        return job;
    }

    /// <summary>Whatever was said of a job, no amount is told to those who may not see money.</summary>
    private async Task NoAmountForEverybodyAsync(JobId id)
    {
        await using var db = await Database.ForSystemAsync(default);
        IEnumerable<Said?> said =
        [
            .. (await db.JobEvents.AsNoTracking().Where(e => e.JobId == id).ToListAsync()).Select(e => e.Text),
            .. (await db.Jobs.AsNoTracking().Where(j => j.Id == id).ToListAsync()).Select(j => j.Message),
            .. (await db.Attempts.AsNoTracking().Where(a => a.JobId == id).ToListAsync()).Select(a => a.Message),
            .. (await InstancesAsync(id)).Select(i => i.EndMessage),
        ];
        Assert.DoesNotContain(said, s => s is not null && s.Plain.Contains('$', StringComparison.Ordinal));
    }

    public async Task ReachesAsync(JobId id, JobStatus status, TimeSpan? within = null)
    {
        try
        {
            await Eventually.HoldsAsync(async () =>
            {
                var job = await JobAsync(id);
                return job.Status == status || (JobRules.IsFinal(job.Status) ? throw new InvalidOperationException($"{job.Status}: {job.Message}") : false);
            }, $"job is {status}", within ?? TimeSpan.FromMinutes(3));
        }
        catch (Exception fault) when (fault is TimeoutException or InvalidOperationException)
        {
            throw new InvalidOperationException($"{fault.Message}\n{await StoryAsync(id)}", fault);
        }
    }

    /// <summary>What happened to a job so far, for the message of a test that fails.</summary>
    private async Task<string> StoryAsync(JobId id)
    {
        var job = await JobAsync(id);
        await using var db = await Database.ForSystemAsync(default);
        var events = await db.JobEvents.AsNoTracking().Where(e => e.JobId == id).OrderBy(e => e.Id).ToListAsync();
        var instances = await db.Instances.AsNoTracking().Where(i => i.JobId == id).ToListAsync();
        return string.Join('\n',
        [
            $"{TimeProvider.System.GetUtcNow():HH:mm:ss.fff} job {job.Status}, {job.StopReason}, {job.Message}",
            .. events.Select(e => $"{e.At:HH:mm:ss.fff} {e.Kind}: {e.Text}"),
            .. instances.Select(i => $"instance {i.Status}, {i.EndReason}, {i.EndMessage}; observed {i.Observed} at {i.ObservedAt:HH:mm:ss}; next step {i.NextStepAt:HH:mm:ss}, lease {i.LeaseOwner} until {i.LeaseUntil:HH:mm:ss}; answered {i.AnsweredAt:HH:mm:ss}, {i.SshFailures} failures, {i.SshMessage}; stop asked {i.StopAskedAt:HH:mm:ss}"),
        ]);
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    private static async Task<IHost> OpenAsync(string data, Action<IServiceCollection>? more)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Lifecycle:WatchInterval"] = "00:00:00.5",
            ["Lifecycle:AbsenceProof"] = "00:00:02", // the sandbox's listings do not lag behind a destroy unless they are told to
        });
        builder.Logging.AddProvider(new FileLog(Path.Combine(data, "test.log"))).AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Warning); // not each question to the database
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new DataDirectory(data));
        builder.Services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(Path.Combine(data, "keys")));
        builder.Services.AddPersistence($"Data Source={Path.Combine(data, "dashboard.db")};Default Timeout=30");
        builder.Services.AddMarketplaces(builder.Configuration);
        builder.Services.AddMachines();
        builder.Services.AddLifecycle();
        builder.Services.AddSingleton<INudgeProvisioning, SignalOnly>();
        more?.Invoke(builder.Services);
        var host = builder.Build();
        await host.Services.GetRequiredService<DatabaseStart>().RunAsync(default);
        await host.Services.GetRequiredService<InstallationIdentity>().OpenAsync(default);
        await host.StartAsync();
        return host;
    }

    private async Task SeedAsync(string key)
    {
        var now = TimeProvider.System.GetUtcNow();
        var (team, id) = (new TeamId(Guid.NewGuid()), new ConnectionId(Guid.NewGuid()));
        Team = new Team { Id = team, Name = "Halden Lab", Slug = "halden-lab", CreatedAt = now };
        Connection = new Connection
        {
            Id = id,
            TeamId = team,
            Market = new Market(Provider.VastAi, _sandbox.BaseUrl, true),
            Name = "Sandbox",
            ProtectedKey = Get<ICredentialVault>().Protect(team, id, new Domain.Marketplaces.Secret(key)),
            KeyEnding = key[^4..],
            AccountId = "1",
            AccountName = "sandbox",
            Status = ConnectionStatus.Works,
            CreatedAt = now,
        };
        await using var db = await Database.ForSystemAsync(default);
        db.Teams.Add(Team);
        db.Projects.Add(new Project { Id = new ProjectId(Guid.NewGuid()), TeamId = team, Name = "general", CreatedAt = now });
        db.Connections.Add(Connection);
        await db.SaveChangesAsync();
    }

    private sealed class SignalOnly(LifecycleSignal signal) : INudgeProvisioning
    {
        public void Provision(JobId job) => signal.Wake();
    }

    /// <summary>What the server said, for a test that failed and for the search for secrets.</summary>
    private sealed class FileLog(string path) : ILoggerProvider, ILogger
    {
        private readonly Lock _writing = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_writing)
            {
                try
                {
                    File.AppendAllText(path, $"{logLevel} {formatter(state, exception)} {exception}\n");
                }
                catch (IOException)
                {
                    // The disk is full, which is what the test is about.
                }
            }
        }

        public void Dispose()
        {
        }
    }
}
