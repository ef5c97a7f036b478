using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure;
using Dashboard.Infrastructure.Artifacts;
using Dashboard.Infrastructure.Lifecycle;
using Dashboard.Infrastructure.Logs;
using Dashboard.Infrastructure.Persistence;
using Dashboard.Infrastructure.Ssh;
using Dashboard.Simulation.Crashes;
using Dashboard.Simulation.Guards;
using Dashboard.Simulation.Machines;
using Dashboard.Simulation.Provider;
using Dashboard.Simulation.Stories;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dashboard.Simulation.Harness;

/// <summary>
/// One start of the product on the world's database: its own services as it registers them, with the provider, the machines,
/// the clock and the threads of the world. No host: the world ticks the reconciler.
/// </summary>
internal sealed class Server : Process, IDbContextFactory<AppDbContext>
{
    private readonly World _world;
    private readonly SqliteConnection _connection;
    private readonly PooledDbContextFactory<AppDbContext> _contexts;
    private readonly ServiceProvider _services;
    private readonly Reconciler _reconciler;
    private Task<TimeSpan>? _tick;
    private SimulatedTime.Alarm? _sleep;
    private bool _awake = true;

    public Server(World world, string name)
        : base(world, name)
    {
        _world = world;
        _connection = TemplateDatabase.Open(world.DatabasePath);
        _contexts = new PooledDbContextFactory<AppDbContext>(TemplateDatabase.Options(_connection).AddInterceptors(new CommitWatch(world, this), new CommandWatch(world, this)).Options, 32);
        _services = Build();
        Database = _services.GetRequiredService<AppDatabase>();
        Now(_services.GetRequiredService<DatabaseStart>().TakeUpAsync(default));
        Now(_services.GetRequiredService<InstallationIdentity>().OpenAsync(default));
        _reconciler = _services.GetRequiredService<Reconciler>();
    }

    public AppDatabase Database { get; }

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    public AppDbContext CreateDbContext() => _contexts.CreateDbContext();

    /// <summary>A server that is not up does not come to use its database.</summary>
    public async Task<AppDbContext> CreateDbContextAsync(CancellationToken cancellationToken)
    {
        await UpAsync();
        return _contexts.CreateDbContext();
    }

    public void Wake() => _awake = true;

    /// <summary>A step has ended: what it left due is taken up at once.</summary>
    public void Ended()
    {
        if (Environment.CurrentManagedThreadId != _world.ThreadId)
        {
            _world.LeftItsThread = true;
        }

        Wake();
    }

    /// <summary>Ticks until nothing more is due at this instant.</summary>
    public override void Turn()
    {
        const int busy = 400;
        for (var ticks = 0; Life == Life.Up && _awake; ticks++)
        {
            if (ticks > busy)
            {
                _world.Violate("Busy", "The reconciler finds something due again and again at one instant.");
                return;
            }

            if (_tick is { IsCompleted: false })
            {
                return; // it was frozen in the middle of it
            }

            _awake = false;
            _tick = _reconciler.TickAsync(default);
            if (_tick.IsCompleted)
            {
                _sleep?.Strike();
                _sleep = _world.Time.At(_tick.GetAwaiter().GetResult(), () => { Wake(); });
            }
        }
    }

    public override void Kill()
    {
        _sleep?.Strike();
        base.Kill();
    }

    public override void Thaw()
    {
        base.Thaw();
        Wake();
    }

    /// <summary>Lets go of files and of the database; an open transaction is rolled back, as by the death of a process.</summary>
    public override void Close()
    {
        _services.GetRequiredService<LogStore>().Dispose();
        _connection.Dispose();
    }

    /// <summary>Nothing here may leave the world's thread: what has not ended by itself waits for something that is not simulated.</summary>
    private static void Now(Task work)
    {
        if (!work.IsCompleted)
        {
            throw new InvalidOperationException("Something waited for what the simulation does not know.");
        }

        work.GetAwaiter().GetResult();
    }

    private ServiceProvider Build()
    {
        var services = new ServiceCollection();
        services.AddLogging(logging =>
        {
            if (_world.Story.Told)
            {
                logging.AddProvider(new StoryLog(_world.Story));
            }
        });
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton(TemplateDatabase.Ring);
        services.AddSingleton(new DataDirectory(_world.DataPath));
        services.AddSingleton<IDbContextFactory<AppDbContext>>(this);
        services.AddSingleton<AppDatabase>();
        services.AddSingleton<DatabaseStart>();
        services.AddSingleton<InstallationIdentity>();
        services.AddSingleton<RentBan>();
        services.AddSingleton<Quarantine>();
        services.AddSingleton(new SshOptions()).AddSingleton<BulkTransfer>().AddSingleton<ArtifactStore>();
        services.AddSingleton<LogStore>();
        services.AddLifecycle();

        services.AddSingleton(_world.Pace);
        if (_world.Schedule.Caps.Count > 0)
        {
            services.AddSingleton(Options.Create(Pace.Spending));
        }

        services.AddSingleton(Options.Create(Pace.Interruption));
        services.AddSingleton(new Random(_world.Chance.Next()));
        services.AddSingleton<StepThreads>(new InlineSteps(this));
        services.AddSingleton<IMarketplaces>(new SimulatedMarketplaces(new SimulatedMarketplace(_world, this)));
        services.AddSingleton<IMachines>(new SimulatedMachines(_world, this));
        services.AddSingleton<ResultCheck>(new SimulatedResults(_world));
        Mutants.Apply(_world.Schedule.Mutant, services);
        return services.BuildServiceProvider();
    }

    private sealed class SimulatedMarketplaces(IMarketplace market) : IMarketplaces
    {
        public IMarketplace For(Domain.Teams.Connection connection) => market;

        public IMarketplace For(Market market1, Domain.Marketplaces.Secret key) => market;
    }
}
