using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Dashboard.Tests.Shared;

namespace Dashboard.EndToEnd.Harness;

/// <summary>
/// Looks at the machines' own disks while they live and remembers what the programs wrote there: the other end of "the same file" and of
/// "the same log".
/// </summary>
internal sealed class MachineWatch : IAsyncDisposable
{
    private const string Adapter = "adapter_model.safetensors";
    private const int LooksABook = 10;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);
    private readonly ConcurrentDictionary<string, string> _adapters = new();
    private readonly ConcurrentDictionary<string, byte[]> _logs = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly HashSet<string> _known;
    private readonly Dictionary<string, string> _roots = [];
    private readonly SandboxProcess _sandbox;
    private readonly Action<string>? _onNew;
    private readonly Task _watching;

    /// <param name="strangers">Contract ids that are of no interest.</param>
    /// <param name="onNew">Told each contract id once, in their order.</param>
    public MachineWatch(SandboxProcess sandbox, IEnumerable<string>? strangers = null, Action<string>? onNew = null)
    {
        (_sandbox, _known, _onNew) = (sandbox, [.. strangers ?? []], onNew);
        _watching = WatchAsync();
    }

    /// <summary>SHA-256, lower-case hex, of the finished adapter that was on the machine of this contract; null when none was seen.</summary>
    public string? AdapterOf(string contractId) => _adapters.GetValueOrDefault(contractId);

    /// <summary>The whole log of the program on this machine, last read after it had ended; null when that was not seen.</summary>
    public byte[]? LogOf(string contractId) => _logs.GetValueOrDefault(contractId);

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _watching;
        _closing.Dispose();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(LookEvery, TimeProvider.System);
        try
        {
            for (var look = 0; await timer.WaitForNextTickAsync(_closing.Token); look++)
            {
                if (look % LooksABook == 0)
                {
                    await ReadBooksAsync();
                }

                foreach (var (contract, root) in _roots)
                {
                    Look(contract, root);
                }
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
        }
    }

    private async Task ReadBooksAsync()
    {
        foreach (var instance in (await _sandbox.TruthWithoutLogAsync(_closing.Token)).GetProperty("instances").EnumerateArray())
        {
            var id = instance.GetProperty("id").ToString();
            if (_known.Add(id))
            {
                _onNew?.Invoke(id);
                _roots.Add(id, "");
            }

            if (instance.GetProperty("destroyed").ValueKind != JsonValueKind.Null)
            {
                _roots.Remove(id);
            }
            else if (_roots.TryGetValue(id, out var root) && root.Length == 0 && await _sandbox.RootOfAsync(id, _closing.Token) is { } made)
            {
                _roots[id] = made;
            }
        }
    }

    // The folder may vanish at any moment: the machine is being destroyed.
    private void Look(string contract, string root)
    {
        try
        {
            if (root.Length == 0 || Attempts(root) is not { Length: > 0 } attempts)
            {
                return;
            }

            foreach (var attempt in attempts)
            {
                var (adapter, log) = (Path.Combine(attempt, "out", "adapter", Adapter), Path.Combine(attempt, "log"));
                if (!_adapters.ContainsKey(contract) && File.Exists(Path.Combine(attempt, "out", "MANIFEST.sha256")) && File.Exists(adapter))
                {
                    _adapters[contract] = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(adapter)));
                }

                if (File.Exists(Path.Combine(attempt, "exit")) && new FileInfo(log).Length != _logs.GetValueOrDefault(contract)?.Length)
                {
                    _logs[contract] = File.ReadAllBytes(log);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static string[] Attempts(string root)
    {
        var home = Path.Combine(root, "workspace", ".gd");
        return Directory.Exists(home) ? Directory.GetDirectories(home, new string('?', 32)) : [];
    }
}
