using System.Text.Json;
using System.Text.Json.Serialization;
using Dashboard.Sandbox.State;

namespace Dashboard.Sandbox.Http;

/// <summary>A small document of the HTTP side that survives a restart: on disk before a change is answered, readable by its owner alone.</summary>
internal sealed class Kept<T>
    where T : class, new()
{
    private static readonly JsonSerializerOptions Format = new() { Converters = { new JsonStringEnumConverter() } };
    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly T _value;

    public Kept(string path)
    {
        _path = path;
        _value = File.Exists(path) ? JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), Format)! : new T();
    }

    public TAnswer Read<TAnswer>(Func<T, TAnswer> question)
    {
        lock (_gate)
        {
            return question(_value);
        }
    }

    public TAnswer Change<TAnswer>(Func<T, TAnswer> change)
    {
        lock (_gate)
        {
            var answer = change(_value);
            PrivateFile.Replace(_path, JsonSerializer.SerializeToUtf8Bytes(_value, Format));
            return answer;
        }
    }
}
